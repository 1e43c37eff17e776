package rehearsal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// server is an HTTP server on a free port of loopback.
type server struct {
	http *http.Server
	url  string
}

func serve(handler http.Handler) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	s := &server{http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}, url: "http://" + listener.Addr().String()}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Close stops the server at once: nobody is left to be answered.
func (s *server) Close() error { return s.http.Close() }

func (r *Rehearsal) serve(handler http.Handler) (string, error) {
	s, err := serve(handler)
	if err != nil {
		return "", err
	}
	r.servers = append(r.servers, s)
	return s.url, nil
}

// The tokens of those who work with GitHub: a developer, a reviewer, the pipelines' App and GitHub Actions. They open nothing but this process.
const (
	DeveloperToken = "token-of-the-developer"
	ReviewerToken  = "token-of-the-reviewer"
	AppToken       = "token-of-the-app"
	actionsToken   = "token-of-github-actions"
)

// The other secrets: everybody's secret access key of AWS, and the passphrase that the stacks' secrets are encrypted with.
const (
	SecretKey  = "secret-key-of-everybody"
	Passphrase = "passphrase-of-the-stacks"
)

func (r *Rehearsal) startGitHub(context.Context) error {
	dir, err := r.dir("github")
	if err != nil {
		return err
	}
	if r.github, err = githubsim.New(githubsim.Options{Dir: dir, Owner: Owner, Tokens: map[string]githubsim.Actor{
		DeveloperToken: {Login: "developer"}, ReviewerToken: {Login: "reviewer", Owner: true}, AppToken: {Login: "relay[bot]", App: appID},
		actionsToken: {Login: "github-actions[bot]", App: actionsID},
	}, Apps: r.options.Apps}); err != nil {
		return err
	}
	url, err := r.serve(r.faults.Before(githubCalls, r.github))
	if err != nil {
		return err
	}
	r.people = newPeople(url)
	r.importContent()
	r.github.OnMove(func(m githubsim.Move) { r.runner.Move(Owner+"/"+m.Repo, m.Branch, m.After, m.Paths) })
	return nil
}

// importContent is what the repositories will begin with, once the program makes them.
func (r *Rehearsal) importContent() {
	for role, h := range map[string]history{"software": r.content.software, "image": r.content.image, "infrastructure": r.content.infrastructure} {
		commit := h.head
		if role == "software" {
			commit = h.base
		}
		r.github.Import(r.product+"-"+role, h.dir, commit)
	}
}

func (r *Rehearsal) startAWS(context.Context) error {
	dir, err := r.dir("aws")
	if err != nil {
		return err
	}
	if r.tmp, err = r.dir("tmp"); err != nil {
		return err
	}
	r.aws = awssim.New(awssim.Options{AccountID: account, Region: region, Dir: dir, Environ: r.machine, Identities: identities()})
	if _, err = r.serve(r.faults.Before(awsCalls, r.aws)); err != nil {
		return err
	}
	r.secret = r.aws.SetSecret(Product+"/github", AppToken)
	return r.aws.CreateBucket(tools)
}

// machine is the environment of a machine on AWS, with the pipelines' credentials.
func (r *Rehearsal) machine() []string { return r.machineOf(machineKey) }

// machineOf is the environment of a machine: where the services are and whose credentials it has. PATH is this machine's, and Go's
// caches, as a build image with a warm cache would have them.
func (r *Rehearsal) machineOf(key string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TMPDIR=" + r.tmp,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ENDPOINT_URL=" + r.servers[1].url,
		"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_EC2_METADATA_DISABLED=true",
	}
	return append(env, goCaches()...)
}

// goCaches are the settings of this machine's Go, if it has one.
func goCaches() []string {
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS").Output()
	var values map[string]string
	if err != nil || json.Unmarshal(out, &values) != nil {
		return nil
	}
	var env []string
	for key, value := range values {
		env = append(env, key+"="+value)
	}
	return env
}

func (r *Rehearsal) startRunner(context.Context) error {
	dir, err := r.dir("pipelines")
	if err != nil {
		return err
	}
	machine := r.machine()
	if _, err := exec.LookPath("aws"); err != nil {
		bin, err := r.dir("bin")
		if err != nil {
			return err
		}
		if err := runner.InstallTools(bin, r.options.Self); err != nil {
			return err
		}
		machine = append(machine, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	o := runner.Options{
		Dir: dir, Account: account,
		Clone: func(ctx context.Context, repository, branch, commit, dest string) error {
			return r.clone(ctx, repository, branch, commit, dest)
		},
		Connection: r.usable,
		Parameter:  func(name string) (string, bool) { p, ok := r.aws.Parameter(name); return p.Value, ok },
		Environ:    func() []string { return slices.Concat(machine, r.pulumi()) },
		Approver:   identities()[Approver],
		Log:        r.options.Timeline.Pipeline,
	}
	if r.options.Approve != nil {
		o.Approve = r.approve
	}
	r.runner = runner.New(o)
	r.servePipelines()
	return nil
}

// clone is what the connection to GitHub does for a pipeline: a full clone with all tags.
func (r *Rehearsal) clone(ctx context.Context, repository, branch, commit, dest string) error {
	source := filepath.Join(r.options.Dir, "github", filepath.FromSlash(repository)+".git")
	if _, err := git.Run(ctx, r.options.Dir, "clone", "--quiet", "--no-hardlinks", "--branch", branch, source, dest); err != nil {
		return err
	}
	if commit == "" {
		return nil
	}
	_, err := git.Run(ctx, dest, "checkout", "--quiet", "-B", branch, commit)
	return err
}

func (r *Rehearsal) startPlugins(ctx context.Context) error {
	for _, schema := range []provider.Schema{r.awsEffects().Schema(), r.githubEffects().Schema()} {
		schema.Mutate, schema.Rewrite, schema.Around = r.options.Damage, r.options.Rewrite, r.provides
		plugin, err := provider.Serve(ctx, schema)
		if err != nil {
			return err
		}
		r.plugins = append(r.plugins, plugin)
	}
	return nil
}

// pulumi is how Pulumi finds its state and the simulated providers.
func (r *Rehearsal) pulumi() []string {
	return []string{
		"PULUMI_HOME=" + filepath.Join(r.options.Dir, "pulumi"),
		fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d,github:%d", r.plugins[0].Port, r.plugins[1].Port),
		"PULUMI_CONFIG_PASSPHRASE=" + Passphrase, "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"PULUMI_EXPERIMENTAL=true",
	}
}

// publishedRelay is the relay binary beside the stacks, as the configuration pins it.
type publishedRelay struct {
	uri, sha256 string
}

func (r *Rehearsal) publishRelay(context.Context) error {
	binary, err := os.ReadFile(r.options.Relay)
	if err != nil {
		return fmt.Errorf("reading the relay binary: %w", err)
	}
	if len(binary) == 0 {
		return errors.New("the relay binary is empty")
	}
	sum := sha256.Sum256(binary)
	digest := hex.EncodeToString(sum[:])
	key := "relay/" + runtime.GOOS + "-" + runtime.GOARCH + "/" + digest
	r.relay = publishedRelay{uri: "s3://" + tools + "/" + key, sha256: digest}
	return r.aws.PutObject(tools, key, binary)
}
