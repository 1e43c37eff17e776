package report_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/report"
)

// BenchmarkRender writes a report of changed resources with six properties each in all formats.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{20, 200, 2000} {
		r := large(n)
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, format := range report.Formats() {
					require.NoError(b, report.Render(format, io.Discard, r))
				}
			}
		})
	}
}
