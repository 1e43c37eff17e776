package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// script is the program that runs a buildspec's commands in one shell, so that variables and the working directory
// persist from one command to the next. Each command is a file of its own that the shell reads, so that a command may be
// anything that a shell understands and a syntax error is its own failure.
type script struct {
	dir string
}

func (s script) main() string    { return filepath.Join(s.dir, "main.sh") }
func (s script) exports() string { return filepath.Join(s.dir, "exports") }

// write writes the files. The transitions are CodeBuild's: a failed install or pre_build ends the build, a failed build
// phase still goes on to post_build; on-failure says otherwise. A phase that failed fails the build in any case.
// https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
func (s script) write(spec *buildspec) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	var main strings.Builder
	main.WriteString("__failed= __skip=\n")
	for _, phase := range spec.phases() {
		fmt.Fprintf(&main, "if [ -z \"$__skip\" ]; then\n__commands= __finally=\nprintf '[phase] %s\\n'\n", phase.name)
		for _, list := range []struct {
			state    string
			commands []string
		}{{"__commands", phase.Commands}, {"__finally", phase.Finally}} {
			for i, command := range list.commands {
				file := filepath.Join(s.dir, fmt.Sprintf("%s%s-%d.sh", phase.name, list.state, i+1))
				if err := os.WriteFile(file, []byte(command+"\n"), 0o644); err != nil {
					return err
				}
				fmt.Fprintf(&main, "if [ -z \"$%[1]s\" ]; then\nprintf '[command] %%s\\n' %[2]s\n. %[3]s\n__status=$?\n"+
					"if [ $__status -ne 0 ]; then %[1]s=failed; printf '[phase] %[4]s failed: exit status %%s: %%s\\n' $__status %[2]s; fi\nfi\n",
					list.state, quote(firstLine(command)), quote(file), phase.name)
			}
		}
		goesOn := phase.OnFailure == "CONTINUE" || phase.OnFailure == "" && (phase.name == "build" || phase.name == "post_build")
		fmt.Fprintf(&main, "if [ -n \"$__commands$__finally\" ]; then __failed=1; export CODEBUILD_BUILD_SUCCEEDING=0; __skip=%s; fi\nfi\n",
			map[bool]string{false: "1"}[goesOn])
	}
	// Created even when nothing is exported: a shell that ended before its end leaves no such file.
	fmt.Fprintf(&main, ": > %s\n", quote(s.exports()))
	for _, name := range spec.Env.Exported {
		fmt.Fprintf(&main, "if [ -n \"${%[1]s+set}\" ]; then printf '%%s\\0' \"%[1]s=$%[1]s\" >> %[2]s; fi\n", name, quote(s.exports()))
	}
	main.WriteString("[ -z \"$__failed\" ]\n")
	return os.WriteFile(s.main(), []byte(main.String()), 0o644)
}

// exported reads the variables that the shell wrote at its end.
func (s script) exported() (map[string]string, error) {
	data, err := os.ReadFile(s.exports())
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("a command ended the shell before the last phase; use a subshell or return instead of exit")
	}
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(data), "\x00"), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			out[name] = value
		}
	}
	return out, nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func firstLine(s string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if rest != "" {
		line += " …"
	}
	return line
}
