package awssim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// baker carries out one build.
type baker struct {
	a       *Account
	b       *build
	dir     string // of the image: its root, its log, the script that runs
	root    *os.Root
	log     *os.File
	environ []string
	// values are what each component's references stand for; failed says that a step failed but let the rest go on.
	values []map[string]string
	failed *stepError
}

// stepError says which step of which component failed. Its text is for people, with the end of the log.
type stepError struct {
	component, arn, document, phase string
	step                            step
	err                             error
	tail                            string
}

func (e *stepError) Error() string {
	return fmt.Sprintf("component %s: phase %s: step %s: %s%s", e.component, e.phase, e.step.Name, e.err, e.tail)
}

// bake carries out a build and registers its image.
func (a *Account) bake(b *build) {
	err := a.bakeRoot(b)
	switch failed := (*stepError)(nil); {
	case a.ctx.Err() != nil:
		a.endWorkflow(b, statusCancelled, "")
		a.setBuildState(b, stateCancelled, "the account was closed", "the account was closed")
	case errors.As(err, &failed):
		message := fmt.Sprintf("Document %s failed!", failed.arn)
		id := a.endWorkflow(b, statusFailed, message)
		a.setBuildState(b, stateFailed, fmt.Sprintf("Workflow Execution ID: '%s' failed with reason: %s", id, message), err.Error())
	case err != nil:
		a.setBuildState(b, stateFailed, err.Error(), err.Error())
	default:
		a.endWorkflow(b, statusCompleted, "")
		a.setBuildState(b, stateDistributing, "", "")
		a.RegisterImage(Image{
			ID: b.amiID, Name: b.amiName, Root: a.dir("images", b.amiID, "root"), Tags: maps.Clone(b.distribution.AMITags),
			LaunchPermission: b.distribution.LaunchPermission, BlockDevices: b.recipe.BlockDevices,
		})
		a.setBuildState(b, stateAvailable, "", "")
	}
}

// bakeRoot makes the image's root and runs the phases over it: Image Builder runs a phase of all components before the next.
func (a *Account) bakeRoot(b *build) error {
	k := &baker{a: a, b: b, dir: a.dir("images", b.amiID)}
	if err := k.prepare(); err != nil {
		return fmt.Errorf("preparing the bake: %w", err)
	}
	defer k.root.Close()
	defer k.log.Close()
	for _, name := range phaseOrder {
		state := stateBuilding
		if name == "test" {
			state = stateTesting
		}
		a.startWorkflow(b, state)
		a.setBuildState(b, state, "", "")
		for i, c := range b.components {
			for _, phase := range c.document.Phases {
				if phase.Name != name {
					continue
				}
				if failed := k.runPhase(i, phase); failed != nil {
					return failed.report(k.log)
				}
			}
		}
		if k.failed != nil {
			return k.failed.report(k.log)
		}
	}
	return nil
}

func (k *baker) prepare() error {
	for i, c := range k.b.components {
		values, err := c.document.values(k.b.recipe.Components[i].Parameters)
		if err != nil {
			return err
		}
		k.values = append(k.values, values)
	}
	standIns, err := k.a.installStandIns()
	if err != nil {
		return err
	}
	rootDir := filepath.Join(k.dir, "root")
	if err := os.MkdirAll(rootDir, 0o755); err != nil {
		return err
	}
	if k.b.base != "" {
		// The files of the base are programs too, see writeExecutable.
		if err := writeExecutable(func() error { return os.CopyFS(rootDir, os.DirFS(k.b.base)) }); err != nil {
			return fmt.Errorf("copying parent image %s: %w", k.b.recipe.ParentImage, err)
		}
	}
	k.environ = k.a.environ()
	// Its User-Agent tells whose call one of the commands makes, as the instance profile's session does on AWS.
	k.environ = append(k.environ, "AWS_SDK_UA_APP_ID="+k.b.amiID, "DESTDIR="+rootDir, "PATH="+standIns+string(filepath.ListSeparator)+k.a.path())
	if k.log, err = os.Create(filepath.Join(k.dir, "bake.log")); err != nil {
		return err
	}
	if k.root, err = os.OpenRoot(rootDir); err != nil {
		k.log.Close()
		return err
	}
	return nil
}

func (k *baker) runPhase(component int, phase phase) *stepError {
	c := k.b.components[component]
	for _, step := range phase.Steps {
		fmt.Fprintf(k.log, "== %s/%s (%s)\n", phase.Name, step.Name, step.Action)
		err := k.runStep(step, k.values[component])
		if err == nil {
			continue
		}
		failed := &stepError{
			component: c.name, arn: k.b.recipe.Components[component].ARN, document: c.document.Name, phase: phase.Name, step: step, err: err,
		}
		fmt.Fprintf(k.log, "== %s/%s: %s\n", phase.Name, step.Name, err)
		failed.tail = tail(k.log.Name())
		switch {
		case k.a.ctx.Err() != nil || step.OnFailure == "" || step.OnFailure == "Abort":
			return failed
		case step.OnFailure == "Continue" && k.failed == nil:
			k.failed = failed
		}
	}
	return nil
}

// report writes the first step that failed to the end of the log, in the form that EC2 Image Builder's user guide shows: "Get the full
// component output from the logs".
func (e *stepError) report(log io.Writer) error {
	fmt.Fprintf(log, "  Document: %s\n  ComponentArn: %s\n  Phase: %s\n  Step: %s\n  Action: %s\n  ErrorMessage: %s\n",
		e.document, e.arn, e.phase, e.step.Name, e.step.Action, e.err)
	return e
}

func (k *baker) runStep(step step, values map[string]string) error {
	given, err := interpolate(&step.Inputs, values)
	if err != nil {
		return err
	}
	ctx, timeout := k.a.ctx, time.Duration(step.TimeoutSeconds)*time.Second
	if step.TimeoutSeconds == 0 {
		timeout = 2 * time.Hour
	}
	if step.TimeoutSeconds >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	switch step.Action {
	case "S3Download":
		var inputs []s3Download
		if err := given.Decode(&inputs); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		for _, input := range inputs {
			if err := k.download(input); err != nil {
				return err
			}
		}
		return nil
	case "ExecuteBash":
		var inputs struct {
			Commands []string `yaml:"commands"`
		}
		if err := given.Decode(&inputs); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		return k.execute(ctx, inputs.Commands)
	}
	return fmt.Errorf("the rehearsal was not taught the action %q", step.Action)
}

func (a *Account) setRunning(b *build, p *process) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b.running = p
}

// Baking returns the name of the pipeline that bakes an AMI right now.
func (a *Account) Baking(ami string) (pipeline string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.builds {
		if b.amiID == ami && b.running != nil {
			return b.pipeline.Name, true
		}
	}
	return "", false
}

// KillBake ends with SIGKILL what runs on the instance that bakes an AMI, which fails the bake.
func (a *Account) KillBake(ami string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.builds {
		if b.amiID == ami && b.running != nil {
			_ = syscall.Kill(-b.running.cmd.Process.Pid, syscall.SIGKILL) // it may just have ended
		}
	}
}

type s3Download struct {
	Source      string `yaml:"source"`
	Destination string `yaml:"destination"`
}

// download puts an object below the image's root; a symbolic link in the root does not lead out of it.
func (k *baker) download(input s3Download) error {
	source, err := url.Parse(input.Source)
	if err != nil || source.Scheme != "s3" || source.Host == "" || len(source.Path) < 2 {
		return fmt.Errorf("source %q: expected s3://<bucket>/<key>", input.Source)
	}
	if !path.IsAbs(input.Destination) {
		return fmt.Errorf("destination %q: expected an absolute path", input.Destination)
	}
	key := strings.TrimPrefix(strings.TrimPrefix(input.Source, "s3://"), source.Host+"/")
	content, err := k.a.GetObject(source.Host, key)
	if err != nil {
		return err
	}
	destination := path.Clean(input.Destination)
	if strings.HasSuffix(input.Destination, "/") {
		destination = path.Join(destination, path.Base(key))
	}
	fmt.Fprintf(k.log, "%s -> %s (%d bytes)\n", input.Source, destination, len(content))
	return writeExecutable(func() error { return writeBelow(k.root, strings.TrimPrefix(destination, "/"), content) })
}

// execute runs commands as one script that ends at the first failing command, as AWSTOE does.
func (k *baker) execute(ctx context.Context, commands []string) error {
	script := filepath.Join(k.dir, "script.sh") // a file, as one argument may be too short for it and stdin is the commands' own
	if err := os.WriteFile(script, []byte(strings.Join(commands, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("bash", "-e", script)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = k.root.Name(), k.environ, k.log, k.log
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	defer p.stop() // also what the commands left running
	k.a.setRunning(k.b, p)
	defer k.a.setRunning(k.b, nil)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return errors.New("it did not end within timeoutSeconds")
		}
		return ctx.Err()
	}
}
