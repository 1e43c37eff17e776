package lint_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/report"
)

// BenchmarkReview is what relay review does after the preview: read it, hold it against the policy, and write all reports. peak-MB is the
// most memory that the process ever had (VmHWM), so run one size at a time to compare them.
func BenchmarkReview(b *testing.B) {
	for _, n := range []int{20, 200, 2000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			in := resources(b, n)
			for i := range in.Preview.Resources {
				r := &in.Preview.Resources[i]
				for key, value := range r.After {
					r.Changes = append(r.Changes, preview.Property{Path: key, Op: preview.Update, Before: "before", After: value})
				}
			}
			stored, err := in.Preview.Encode()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if in.Preview, err = preview.Parse(stored); err != nil {
					b.Fatal(err)
				}
				result, err := lint.Lint(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				r := report.Report{
					Product: "shop", Environment: "main", Preview: in.Preview, Rules: result.Rules, Findings: result.Findings, Created: time.Unix(0, 0),
				}
				for _, format := range report.Formats() {
					if err := report.Render(format, io.Discard, r); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(peak(b), "peak-MB")
		})
	}
}

// peak is the most memory that the process ever had.
func peak(b *testing.B) float64 {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		var kib float64
		if _, err := fmt.Sscanf(strings.TrimSpace(lines.Text()), "VmHWM: %f kB", &kib); err == nil {
			return kib / 1024
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}
