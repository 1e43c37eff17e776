// Package awssim is an AWS account on loopback: the state of the few services that relay calls, their HTTP API, and what
// happens when they are used. Baking an image carries out the component documents, an Auto Scaling group runs local
// processes that are started from the baked image and asked for their health over HTTP.
//
// It has two faces. Through its Go methods the simulated Pulumi provider makes resources and the rehearsal looks at them.
// As an http.Handler it speaks the wire protocols of the services, so that the AWS SDK and the aws command line work
// unchanged with AWS_ENDPOINT_URL set to it (by IP address, so that the SDKs address buckets by path).
//
// What is not here: Pulumi (the provider plugins), pipelines and builds (the pipeline runner), GitHub. It checks no
// signatures and no permissions. An action that nobody taught it is an error that names service and action.
package awssim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// Options says who the account is and where it keeps its files.
type Options struct {
	// AccountID is the account's number, 12 digits.
	AccountID string
	// Region is the only region there is.
	Region string
	// Dir is the folder for images/<ami-id>/{root,bake.log}, instances/<instance-id>/console.log and bin/, the stand-ins of
	// commands that would change the person's machine. It must exist.
	Dir string
	// Environ returns the environment of the commands of a bake: PATH, HOME, AWS_*. Instances get its PATH and nothing else of it.
	// Nil means this process's PATH alone, so that nobody's real credentials reach a bake.
	Environ func() []string
	// Identities are the ARNs of the callers, by the access key ID of their credentials; another key is refused. Nil means that every key
	// is the role "rehearsal"'s.
	Identities map[string]string
	// Log receives what happens in the account, from several goroutines. Nil drops it.
	Log func(Event)
}

// Event is one thing that happened in the account.
type Event struct {
	Time time.Time
	// Service is the service's signing name, such as "imagebuilder".
	Service string
	// Subject is the resource's ID or name.
	Subject string
	// Message is one lowercase sentence, without a final period; that of a failure continues with lines of a log.
	Message string
}

// Account is the simulated account. Its methods may be called from several goroutines.
type Account struct {
	opts    Options
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	running sync.WaitGroup // bakes, instances and refreshes
	buckets *store
	s3      http.Handler
	around  surroundings

	mu              sync.Mutex // guards everything below, and the fields of what the maps hold
	closed          bool
	services        map[string]http.Handler
	otherLogs       func(group, stream string) (path string, begun time.Time, found bool)
	parameters      map[string]*parameter
	secrets         map[string]string // name to value
	images          map[string]*Image
	components      map[string]*component
	recipes         map[string]Recipe
	infrastructures map[string]Infrastructure
	distributions   map[string]Distribution
	imagePipelines  map[string]ImagePipeline
	builds          []*build          // oldest first
	tokens          map[string]*build // by client token
	templates       map[templateVersion]LaunchTemplate
	targetGroups    map[string]TargetGroup
	groups          map[string]*group
	ports           map[int]bool // of instances

	standInsInstalled bool
}

// New returns an empty account.
func New(opts Options) *Account {
	ctx, cancel := context.WithCancel(context.Background())
	buckets := newStore()
	a := &Account{
		opts: opts, ctx: ctx, cancel: cancel, buckets: buckets, s3: gofakes3.New(buckets).Server(),
		parameters: map[string]*parameter{}, secrets: map[string]string{}, images: map[string]*Image{},
		components: map[string]*component{}, recipes: map[string]Recipe{}, infrastructures: map[string]Infrastructure{},
		distributions: map[string]Distribution{}, imagePipelines: map[string]ImagePipeline{}, tokens: map[string]*build{},
		templates: map[templateVersion]LaunchTemplate{}, targetGroups: map[string]TargetGroup{}, groups: map[string]*group{},
		ports: map[int]bool{},
	}
	a.services = map[string]http.Handler{
		"s3":                   http.HandlerFunc(a.serveS3),
		"ssm":                  JSONService("ssm", a.ssmActions()),
		"secretsmanager":       JSONService("secretsmanager", a.secretsActions()),
		"imagebuilder":         restService("imagebuilder", a.imageBuilderActions()),
		"logs":                 JSONService("logs", a.logsActions()),
		"ec2":                  ec2Service(a.ec2Actions()),
		"sts":                  a.stsService(),
		"acm":                  JSONService("acm", a.certificatesActions()),
		"kms":                  JSONService("kms", a.keysActions()),
		"servicequotas":        JSONService("servicequotas", a.quotasActions()),
		"codestar-connections": JSONService("codestar-connections", a.connectionsActions()),
		"autoscaling":          queryService("autoscaling", "http://autoscaling.amazonaws.com/doc/2011-01-01/", a.autoScalingActions()),
		"elasticloadbalancing": queryService("elasticloadbalancing",
			"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/", a.balancerActions()),
	}
	return a
}

// Handle adds a service that lives elsewhere, by its signing name. Its handler may ask Caller who calls.
func (a *Account) Handle(service string, handler http.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.services[service] = handler
}

// ServeHTTP answers a signed request of an AWS client. The service is the one of the signature's credential scope.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := Service(r)
	caller, known := a.identify(r)
	if !known {
		serveError(w, r, stranger(name))
		return
	}
	if err := a.refuseExpired(name); err != nil {
		serveError(w, r, err)
		return
	}
	a.mu.Lock()
	service := a.services[name]
	a.mu.Unlock()
	if service == nil {
		serveUnknown(w, r, name)
		return
	}
	service.ServeHTTP(w, withCaller(r, caller))
}

// Service returns the signing name of the service that a request is for, "" when it is not signed. A server that offers
// more services than this package asks it which requests to keep.
func Service(r *http.Request) string {
	_, service := credential(r)
	return service
}

// Close stops every instance, refresh and running bake, and returns when none is left. Images and logs stay in Dir.
func (a *Account) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

// spawn runs work in a goroutine that Close waits for, and says whether it does: a closed account starts nothing.
func (a *Account) spawn(work func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.running.Go(work)
	return true
}

// log reports an event. It must be called without holding mu, as the receiver may ask the account.
func (a *Account) log(service, subject, format string, args ...any) {
	if a.opts.Log != nil {
		a.opts.Log(Event{Time: time.Now(), Service: service, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
}

func (a *Account) environ() []string {
	if a.opts.Environ == nil {
		return []string{"PATH=" + os.Getenv("PATH")}
	}
	return a.opts.Environ()
}

// path returns the PATH of environ.
func (a *Account) path() string {
	path := os.Getenv("PATH")
	for _, variable := range a.environ() {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			path = value
		}
	}
	return path
}

// arn names a resource of the account.
func (a *Account) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, a.opts.Region, a.opts.AccountID, resource)
}

func (a *Account) dir(elements ...string) string {
	return filepath.Join(append([]string{a.opts.Dir}, elements...)...)
}

// newID returns an ID as EC2 gives them: a prefix and 17 hex digits.
func newID(prefix string) string {
	var b [9]byte
	rand.Read(b[:]) // it never fails, see its documentation
	return prefix + "-" + hex.EncodeToString(b[:])[:17]
}
