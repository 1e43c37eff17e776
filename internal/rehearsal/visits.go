package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// VisitVariable names the environment variable with the address that Visit asks.
const VisitVariable = "REHEARSAL_URL"

// Merge asks for a pull request to be checked, approved and merged: one that is open, or one of a branch that is opened for it.
type Merge struct {
	// Pull is the address of an open pull request.
	Pull string `json:"pull,omitempty"`
	// Role is that of the repository whose Branch is to be merged Into an environment's, where there is no pull request yet.
	Role   string `json:"role,omitempty"`
	Branch string `json:"branch,omitempty"`
	Into   string `json:"into,omitempty"`
}

// Merged is what became of it, once no pipeline runs.
type Merged struct {
	Repository string `json:"repository"`
	Number     int    `json:"number"`
	Into       string `json:"into"`
	Runs       []Run  `json:"runs"`
}

// Answer is what an instance answered.
type Answer struct {
	URL  string `json:"url"`
	Text string `json:"text"`
}

// visits answers people who are in another process: POST /merge with a Merge, GET /instances/<environment>?path=<path>. Errors are text.
func (r *Rehearsal) visits() http.Handler {
	mux := http.NewServeMux()
	var one sync.Mutex // merges come one after another: each tells which runs it led to
	mux.HandleFunc("POST /merge", func(w http.ResponseWriter, q *http.Request) {
		var m Merge
		if err := json.NewDecoder(q.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		one.Lock()
		defer one.Unlock()
		merged, err := r.mergeFor(q.Context(), m)
		reply(w, merged, err)
	})
	mux.HandleFunc("GET /instances/{environment}", func(w http.ResponseWriter, q *http.Request) {
		answers, err := r.answers(q.Context(), q.PathValue("environment"), q.FormValue("path"))
		reply(w, answers, err)
	})
	return mux
}

func reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}

var pullAddress = regexp.MustCompile(`/` + Owner + `/([^/]+)/pull/([0-9]+)$`)

func (r *Rehearsal) mergeFor(ctx context.Context, m Merge) (Merged, error) {
	before := len(r.Executions())
	found, err := r.pullFor(ctx, m)
	if err != nil {
		return found, err
	}
	what := fmt.Sprintf("pull request %d merged into %s/%s", found.Number, strings.TrimPrefix(found.Repository, r.product+"-"), found.Into)
	if err := r.step(found.Into, "merge", func() (string, error) {
		_, err := r.people.land(ctx, found.Repository, found.Number)
		return what, err
	}); err != nil {
		return found, err
	}
	found.Runs, err = r.Rest(ctx, before)
	return found, err
}

// pullFor finds the pull request, or opens it.
func (r *Rehearsal) pullFor(ctx context.Context, m Merge) (Merged, error) {
	if m.Pull == "" {
		found := Merged{Repository: r.product + "-" + m.Role, Into: m.Into}
		var err error
		found.Number, err = r.people.open(ctx, found.Repository, m.Branch, m.Into, "Merge "+m.Branch)
		return found, err
	}
	parts := pullAddress.FindStringSubmatch(m.Pull)
	if parts == nil {
		return Merged{}, fmt.Errorf("%s: expected the address of a pull request, as relay prints it", m.Pull)
	}
	found := Merged{Repository: parts[1]}
	found.Number, _ = strconv.Atoi(parts[2])
	pull, _, err := r.people.developer.PullRequests.Get(ctx, Owner, found.Repository, found.Number)
	if err != nil {
		return found, fmt.Errorf("looking at pull request %s: %w", m.Pull, err)
	}
	found.Into = pull.GetBase().GetRef()
	return found, nil
}

// answers asks each instance of an environment, once no pipeline runs.
func (r *Rehearsal) answers(ctx context.Context, environment, path string) ([]Answer, error) {
	if !slices.Contains(Environments(), environment) {
		return nil, fmt.Errorf("environment %q: expected %s", environment, strings.Join(Environments(), ", "))
	}
	if _, err := r.Rest(ctx, 0); err != nil {
		return nil, err
	}
	answers := []Answer{}
	for _, instance := range r.aws.Instances(r.pipeline(environment, "app")) {
		answer := Answer{URL: instance.URL + path}
		var err error
		switch answer.Text, _, err = get(ctx, answer.URL); {
		case instance.Health != awssim.Healthy:
			answer.Text = fmt.Sprintf("%s: %s", instance.Health, instance.Reason)
		case err != nil:
			answer.Text = err.Error()
		}
		answers = append(answers, answer)
	}
	return answers, nil
}
