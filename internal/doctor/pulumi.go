package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/blang/semver"

	"github.com/tekpossible/ha-devops/internal/process"
)

// oldestPulumi is the oldest Pulumi CLI that the program runs with.
var oldestPulumi = semver.MustParse("3.200.0")

func (s Subject) pulumiCLI(ctx context.Context) Result {
	const install = "install the Pulumi CLI 3.200 or later (https://www.pulumi.com/docs/iac/download-install/) and put it on PATH"
	path, err := exec.LookPath(s.Pulumi)
	if err != nil {
		return problem(fmt.Sprintf("there is no %s on PATH", s.Pulumi), install)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Stdout = &out
	if err := process.Run(cmd); err != nil {
		return problem(fmt.Sprintf("%s version: %s", path, err), install)
	}
	text := strings.TrimSpace(out.String())
	found, err := semver.ParseTolerant(text)
	if err != nil {
		return problem(fmt.Sprintf("%s version says %.40q, which is no version", path, text), install)
	}
	// A pre-release of a later version is later.
	if found.Pre = nil; found.LT(oldestPulumi) {
		return problem(fmt.Sprintf("%s is version %s", path, found), install)
	}
	return ok("version %s", strings.TrimPrefix(text, "v"))
}
