package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/environments"
)

// The files of a desk.
const (
	// DeskEnv is sourced in a shell.
	DeskEnv = "env.sh"
	// DeskCredentials has a profile for each of those who have credentials.
	DeskCredentials = "credentials"
)

// Desk writes to a directory what a person needs to work with this world from a shell: env.sh to be sourced, which puts the directories
// of path first on PATH, credentials of the account, and Pulumi.<environment>.yaml as a checkout of the devops repository has it. The
// function that it returns removes these files, and the directory if nothing else is in it.
func (r *Rehearsal) Desk(dir string, path ...string) (remove func() error, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	visits, err := r.serve(r.visits())
	if err != nil {
		return nil, err
	}
	state, err := r.dir("state", r.product)
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		DeskEnv:         r.shell(dir, state, visits, path),
		DeskCredentials: credentials(),
	}
	for _, environment := range Environments() {
		files["Pulumi."+environment+".yaml"] = stackFile(r.config(environment, state))
	}
	remove = func() error {
		var errs []error
		for name := range files {
			if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
			errs = append(errs, os.Remove(dir))
		}
		return errors.Join(errs...)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, errors.Join(err, remove())
		}
	}
	return remove, nil
}

// shell sets what the developer's machine has. Credentials come by profile, so that one word makes the developer the approver.
func (r *Rehearsal) shell(dir, state, visits string, path []string) string {
	var b strings.Builder
	b.WriteString("# Source this to work with the rehearsal that wrote it, as its developer; AWS_PROFILE=" + Approver + " makes you its approver.\n" +
		"unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_PROFILE\n")
	set := []string{
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ENDPOINT_URL=" + r.servers[1].url, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, DeskCredentials), "AWS_PROFILE=" + Developer,
		"PULUMI_BACKEND_URL=file://" + filepath.ToSlash(state), "GITHUB_TOKEN=" + DeveloperToken,
		"GIT_AUTHOR_NAME=" + developerName, "GIT_AUTHOR_EMAIL=" + developerEmail,
		"GIT_COMMITTER_NAME=" + developerName, "GIT_COMMITTER_EMAIL=" + developerEmail,
		"SOFTWARE=" + r.Remote("software", DeveloperToken), "IMAGE=" + r.Remote("image", DeveloperToken),
		"INFRASTRUCTURE=" + r.Remote("infrastructure", DeveloperToken),
		VisitVariable + "=" + visits, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
	}
	for _, variable := range append(set, r.pulumi()...) {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quote(strings.Join(path, string(os.PathListSeparator))))
	return b.String()
}

// quote quotes a word for the shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func credentials() string {
	var b strings.Builder
	for _, who := range []string{Developer, Approver} {
		fmt.Fprintf(&b, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who, who, SecretKey)
	}
	return b.String()
}

// stackFile is a stack's configuration as Pulumi keeps it in a file. JSON is YAML.
func stackFile(c environments.Config) string {
	text, _ := json.Marshal(c) // strings, numbers and lists of them always marshal
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(text, &raw)
	var b strings.Builder
	b.WriteString("config:\n")
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		fmt.Fprintf(&b, "  %s: %s\n", environments.Key(key), raw[key])
	}
	return b.String()
}
