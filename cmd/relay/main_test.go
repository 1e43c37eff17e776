package main

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	sim "github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/vars"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"relay": main})
}

// TestScripts runs testdata/script/*.txtar against an account and a GitHub on loopback. Besides testscript's commands there are:
//
//	repository NAME DIR   create a repository with branch dev from the files of DIR
//	checkout NAME DIR     clone branch dev of a repository; $RELAY_COMMIT becomes its head
//	commit DIR            commit everything in a checkout and push it; $RELAY_COMMIT becomes the commit
//	git DIR ARG…          run git in a checkout; $RELAY_COMMIT becomes its head
//	put NAME PATH FILE    commit a file to branch dev of a repository
//	get NAME PATH FILE    write a file of branch dev of a repository to FILE
//	log NAME              print the messages of branch dev, newest first
//	dump DIR              write every bucket's objects below DIR
//	unput KEY             delete an object of the bucket shop-dev
//	ami FILE              $ROOT becomes the root of the AMI that FILE names
//	port                  $PORT becomes a free port
//	http PATH             print what the server on $PORT answers
//	operator ENV…         write Pulumi.ENV.yaml of the product for operators, whose repositories are software, image and infrastructure
//	branch NAME FROM TO   create a branch of a repository
//	protect NAME BRANCH   let only pull requests and the App change a branch
//	release AMI TAG       hand an AMI off to branch dev of the repository infrastructure, as a pipeline does
//	merge NAME NUMBER     merge a pull request
//	pipelines ENV…        make an environment's bucket and pipelines; step ENV ROLE STAGE FILE says what a build of theirs does
//	start ENV ROLE        run a pipeline until it ends or waits for its approval; settle waits for its end
//	reviewed, record, outputs, lease, lock, locked, tamper, normal, await: see world_records_test.go
//	standing ENV…         the account has what docs/bootstrap.md asks for, and the stacks are provisioned
//	damage WHAT           something of that is wrong: see the function
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Setup: setup, RequireExplicitExec: true, UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"repository": repository, "checkout": checkout, "commit": commit, "git": runGit, "put": put, "get": get,
			"log": logOf, "dump": dump, "unput": unput, "ami": ami, "port": port, "http": ask,
			"operator": writeConfig, "branch": makeBranch, "protect": protect, "release": releaseAMI, "merge": merge,
			"pipelines": makePipelines, "step": setStep, "start": start, "settle": settle, "reviewed": reviewed, "record": record,
			"outputs": writeOutputs, "lease": lease, "lock": lock, "locked": locked, "tamper": tamper, "normal": normal, "await": await,
			"standing": bootstrapped, "damage": damage,
		},
	})
}

type world struct {
	aws   *awssim.Account
	forge *githubsim.Server
	repos string
	// runner runs the pipelines of the command pipelines.
	runner *sim.Runner
}

var person = githubsim.Actor{Login: "kim"}

const document = `
name: install
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Install
        action: ExecuteBash
        inputs:
          commands:
            - mkdir -p "$DESTDIR/opt/shop/bin" && cp "$(command -v relay)" "$DESTDIR/opt/shop/bin/relay"
            - '"$DESTDIR/opt/shop/bin/relay" install --manifest /shop/dev/manifest --product shop'
  - name: test
    steps:
      - {name: Test, action: ExecuteBash, inputs: {commands: ['"$DESTDIR/opt/shop/bin/relay" install --test --manifest /shop/dev/manifest --product shop']}}
`

func setup(env *testscript.Env) error {
	for _, dir := range []string{"aws", "github", "tmp"} {
		if err := os.MkdirAll(filepath.Join(env.WorkDir, "."+dir), 0o755); err != nil {
			return err
		}
	}
	w := &world{repos: filepath.Join(env.WorkDir, ".github")}
	w.aws = setAccount(env)
	env.Defer(w.aws.Close)
	cloud := httptest.NewServer(w.aws)
	env.Defer(cloud.Close)
	var err error
	if w.forge, err = githubsim.New(githubsim.Options{
		Dir: w.repos, Owner: "acme", Tokens: map[string]githubsim.Actor{"s3cret": {Login: "relay[bot]", App: 7}, "kims": person},
	}); err != nil {
		return err
	}
	web := httptest.NewServer(w.forge)
	env.Defer(web.Close)
	if err := w.factory(); err != nil {
		return err
	}
	env.Values["world"] = w
	w.runPipelines(env)
	common := vars.Common{
		Product: "shop", Environment: "dev", Commit: "unset", Execution: "e-1", Bucket: "shop-dev",
		GitHub: vars.GitHub{Owner: "acme", API: web.URL + "/api/v3/", Secret: w.aws.SetSecret("github", "s3cret")},
	}
	for _, v := range append(vars.Write(vars.Build{Common: common, SoftwareRepository: "software", ImageRepository: "image"}),
		vars.Write(vars.Bake{
			Common: common, ImageRepository: "image", InfrastructureRepository: "infrastructure",
			ImagePipeline: "arn:pipeline", Recipe: "arn:recipe/1", BaseImage: "ami-base", Manifest: "/shop/dev/manifest",
		})...) {
		env.Setenv(v.Name, v.Value)
	}
	env.Setenv("AWS_ENDPOINT_URL", cloud.URL)
	env.Setenv("AWS_REGION", "eu-central-1")
	env.Setenv("AWS_ACCESS_KEY_ID", "a")
	env.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	env.Setenv("HOST", "127.0.0.1")
	return nil
}

func (w *world) factory() error {
	if err := w.aws.CreateBucket("shop-dev"); err != nil {
		return err
	}
	if err := w.aws.PutComponent("arn:component", "install", "1.0.0", document); err != nil {
		return err
	}
	if err := w.aws.PutRecipe("arn:recipe", awssim.Recipe{Name: "shop-dev", Version: "1.0.0", Components: []awssim.ComponentRef{{ARN: "arn:component"}}}); err != nil {
		return err
	}
	w.aws.PutInfrastructure("arn:i", awssim.Infrastructure{Name: "shop-dev"})
	w.aws.PutDistribution("arn:d", awssim.Distribution{AMIName: "shop-dev-{{ imagebuilder:buildDate }}"})
	if err := w.aws.CreateBucket(stateBucket); err != nil {
		return err
	}
	return w.aws.PutImagePipeline("arn:pipeline", awssim.ImagePipeline{
		Name: "shop-dev", RecipeARN: "arn:recipe", InfrastructureARN: "arn:i", DistributionARN: "arn:d",
	})
}

func of(ts *testscript.TestScript) *world { return ts.Value("world").(*world) }

func must(ts *testscript.TestScript, dir string, args ...string) string {
	out, err := git.Run(context.Background(), dir, append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	ts.Check(err)
	return strings.TrimSpace(out)
}

func repository(ts *testscript.TestScript, _ bool, args []string) {
	w, dir := of(ts), ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	must(ts, dir, "init", "-q", "-b", "dev")
	must(ts, dir, "add", "-A")
	must(ts, dir, "commit", "-q", "--allow-empty", "-m", "begin")
	w.forge.Import(args[0], filepath.Join(dir, ".git"), must(ts, dir, "rev-parse", "HEAD"))
	ts.Check(w.forge.CreateRepository(context.Background(), githubsim.Repository{Name: args[0], DefaultBranch: "dev"}))
}

func checkout(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[1])
	ts.Check(os.RemoveAll(dir))
	must(ts, ts.Getenv("WORK"), "clone", "-q", "-b", "dev", filepath.Join(of(ts).repos, "acme", args[0]+".git"), dir)
	ts.Setenv("RELAY_COMMIT", must(ts, dir, "rev-parse", "HEAD"))
}

func commit(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	must(ts, dir, "add", "-A")
	must(ts, dir, "commit", "-q", "--allow-empty", "-m", "change")
	head := must(ts, dir, "rev-parse", "HEAD")
	name := strings.TrimSuffix(filepath.Base(must(ts, dir, "remote", "get-url", "origin")), ".git")
	ts.Check(of(ts).forge.Push(context.Background(), name, "dev", head, filepath.Join(dir, ".git")))
	ts.Setenv("RELAY_COMMIT", head)
}

func runGit(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	fmt.Fprintln(ts.Stdout(), must(ts, dir, args[1:]...))
	ts.Setenv("RELAY_COMMIT", must(ts, dir, "rev-parse", "HEAD"))
}

func put(ts *testscript.TestScript, _ bool, args []string) {
	w, ctx := of(ts), context.Background()
	old, _, err := w.forge.ReadFile(ctx, args[0], "dev", args[1])
	ts.Check(err)
	_, err = w.forge.WriteFile(ctx, args[0], githubsim.FileWrite{
		Branch: "dev", Path: args[1], Content: []byte(ts.ReadFile(args[2])), Message: "by hand", SHA: old.SHA,
	}, person)
	ts.Check(err)
}

func get(ts *testscript.TestScript, neg bool, args []string) {
	file, ok, err := of(ts).forge.ReadFile(context.Background(), args[0], "dev", args[1])
	ts.Check(err)
	if ok == neg {
		ts.Fatalf("%s of %s: exists is %v", args[1], args[0], ok)
	}
	if ok {
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(file.Content), 0o644))
	}
}

func logOf(ts *testscript.TestScript, _ bool, args []string) {
	fmt.Fprintln(ts.Stdout(), must(ts, filepath.Join(of(ts).repos, "acme", args[0]+".git"), "log", "--format=%an: %B", "dev"))
}

func dump(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(of(ts).aws.DumpBuckets(ts.MkAbs(args[0])))
}

// unput deletes an object, as if the run that put it there had been killed before.
func unput(ts *testscript.TestScript, _ bool, args []string) {
	_, err := objects(ts).DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: aws.String("shop-dev"), Key: &args[0]})
	ts.Check(err)
}

func ami(ts *testscript.TestScript, _ bool, args []string) {
	id := strings.TrimSpace(ts.ReadFile(args[0]))
	image, ok := of(ts).aws.Image(id)
	if !ok {
		ts.Fatalf("no AMI %q", id)
	}
	ts.Setenv("ROOT", image.Root)
}

func port(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, number, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Check(listener.Close())
	ts.Setenv("PORT", number)
}
