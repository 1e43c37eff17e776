package awssim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Health is how an instance does.
type Health string

// An instance starts, and is healthy or unhealthy from its first verdict on.
const (
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// Instance is an instance of an Auto Scaling group, a local process.
type Instance struct {
	ID, Zone, ImageID string
	// URL is http://127.0.0.1:<port>; "" if the instance could not even be launched.
	URL    string
	Health Health
	// Reason says why it is unhealthy and ends with lines of its console log.
	Reason string
	// ConsoleLog is the path of the file with its output.
	ConsoleLog string
}

type instance struct {
	Instance
	group        *group
	template     templateVersion
	instanceType string
	port         int
	launched     time.Time
	check        string // the answer to the last health check: "" or what was wrong with it
	cancel       context.CancelFunc
	settled      chan struct{} // closed with the first verdict
	done         chan struct{} // closed when its process is gone
}

const (
	checkInterval = 150 * time.Millisecond
	// longestGrace is how long a rehearsal waits for an instance, however patient the group is.
	longestGrace = 20 * time.Second
	// restartDelay is systemd's own, RestartSec.
	restartDelay = 100 * time.Millisecond
	// maxExits is how often a service may end before the instance is given up.
	maxExits = 3
)

// command returns the command of the unit in an image's root. Absolute paths in the unit are below the root.
func command(root string, u unit, port int, path, home string) (*exec.Cmd, error) {
	environ := []string{"PATH=" + path, "HOME=" + home}
	environ = append(environ, u.environment...)
	for _, file := range u.environmentFiles {
		name, optional := strings.CutPrefix(file, "-")
		variables, err := readEnvironmentFile(filepath.Join(root, name))
		if err != nil && !(optional && errors.Is(err, fs.ErrNotExist)) {
			return nil, fmt.Errorf("EnvironmentFile: %w", err)
		}
		environ = append(environ, variables...)
	}
	environ = append(environ, "PORT="+strconv.Itoa(port), "HOST=127.0.0.1", "DESTDIR="+root)
	argv := u.argv(func(name string) string {
		for i := len(environ) - 1; i >= 0; i-- {
			if value, ok := strings.CutPrefix(environ[i], name+"="); ok {
				return value
			}
		}
		return ""
	})
	program := filepath.Join(root, argv[0])
	if _, err := os.Stat(program); err != nil {
		// An image's root holds what was baked, not the base system, whose shell and tools are this machine's.
		if !strings.HasPrefix(argv[0], "/bin/") && !strings.HasPrefix(argv[0], "/usr/bin/") {
			return nil, fmt.Errorf("ExecStart: %w", err)
		}
		program = argv[0]
	}
	cmd := exec.Command(program, argv[1:]...)
	cmd.Env, cmd.Dir = environ, filepath.Join(root, u.workingDirectory)
	if _, err := os.Stat(cmd.Dir); err != nil {
		return nil, fmt.Errorf("WorkingDirectory: %w", err)
	}
	return cmd, nil
}

// freePort returns a port that no other instance has and on which nobody listens. Should somebody else take it before the
// instance listens, then the service ends, and starts again.
func (a *Account) freePort() (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := listener.Addr().(*net.TCPAddr).Port
		listener.Close()
		if !a.ports[port] {
			a.ports[port] = true
			return port, nil
		}
	}
}

// run keeps an instance's service running, as Restart=always does, and asks for its health, until ctx ends.
func (a *Account) run(ctx context.Context, in *instance, newCommand func() (*exec.Cmd, error), grace time.Duration) {
	defer close(in.done)
	console, err := os.OpenFile(in.ConsoleLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		a.judge(in, err.Error())
		return
	}
	defer console.Close()
	deadline := time.After(grace)
	ticks := time.NewTicker(checkInterval)
	defer ticks.Stop()
	for exits := 0; exits < maxExits; exits++ {
		cmd, err := newCommand()
		if err != nil {
			a.judge(in, err.Error())
			break
		}
		cmd.Stdout, cmd.Stderr = console, console
		p, err := startProcess(cmd)
		if err != nil {
			a.judge(in, fmt.Sprintf("starting the service: %s", err))
			break
		}
		err = a.watch(ctx, in, p, ticks.C, deadline)
		p.stop()
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(console, "rehearsal: the service ended: %s\n", ended(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartDelay):
		}
		if exits == maxExits-1 {
			a.judge(in, fmt.Sprintf("its service ended %d times, at last with %s", maxExits, ended(err)))
		}
	}
	<-ctx.Done()
}

func ended(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// watch checks an instance's health until its process ends, whose error it returns, or ctx does.
func (a *Account) watch(ctx context.Context, in *instance, p *process, ticks, deadline <-chan time.Time) error {
	checks := checker{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return p.err
		case <-deadline:
			a.mu.Lock()
			starting, last := in.Health == Starting, in.check
			a.mu.Unlock()
			if starting {
				a.judge(in, "not healthy within the health check grace period: "+last)
			}
			deadline = nil
		case <-ticks:
			verdict, problem := checks.next(ctx, in.URL, a.checksOf(in))
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.mu.Lock()
			in.check = problem
			settled := in.Health != Starting
			a.mu.Unlock()
			// Before the first verdict failing checks are what the grace period is for.
			if verdict == Healthy || verdict == Unhealthy && settled {
				a.judge(in, problem)
			}
		}
	}
}

// judge records a verdict: healthy without a problem, else unhealthy.
func (a *Account) judge(in *instance, problem string) {
	health, reason := Healthy, ""
	if problem != "" {
		health, reason = Unhealthy, problem+tail(in.ConsoleLog)
	}
	a.mu.Lock()
	changed, first := in.Health != health, in.Health == Starting
	in.Health, in.Reason = health, reason
	if first {
		close(in.settled)
	}
	a.mu.Unlock()
	if changed && health == Healthy {
		a.log("autoscaling", in.ID, "healthy at %s in %s", in.URL, in.Zone)
	} else if changed {
		a.log("autoscaling", in.ID, "unhealthy: %s", reason)
	}
}
