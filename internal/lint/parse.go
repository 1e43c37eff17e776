package lint

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/ssh"

	"github.com/tekpossible/ha-devops/internal/yamldoc"
)

// The exceptions of an environment, in its infrastructure repository: a list in YAML with the keys of Exception, and the signature that
// `ssh-keygen -Y sign -n ha-devops-exceptions -f KEY policy-exceptions.yaml` makes of it.
const (
	ExceptionsFile      = "policy-exceptions.yaml"
	SignatureFile       = ExceptionsFile + ".sig"
	ExceptionsNamespace = "ha-devops-exceptions"
	// MaxExceptionDays is how far ahead an exception may expire, in days.
	MaxExceptionDays = 90
)

// ParseExceptions reads a file of exceptions that one of the owners has signed. Owners are lines of authorized_keys (sshd(8)), each with
// the owner's name as its comment. No file, which is nil, has no exceptions. The error names every problem at once.
func ParseExceptions(content, signature []byte, owners []string, now time.Time) ([]Exception, error) {
	if content == nil {
		return nil, nil
	}
	names, err := verify(content, signature, owners)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ExceptionsFile, err)
	}
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	entries, err := entriesOf(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ExceptionsFile, err)
	}
	var all []Exception
	var problems []error
	seen := map[[2]string]int{}
	for _, node := range entries {
		e, found := parseException(node, rules, names, now)
		if first, twice := seen[[2]string{e.Rule, e.Resource}]; twice && len(found) == 0 {
			found = append(found, fmt.Sprintf("it is the same as on line %d; keep one", first))
		}
		seen[[2]string{e.Rule, e.Resource}] = node.Line
		for _, problem := range found {
			problems = append(problems, fmt.Errorf("%s: line %d: %s", ExceptionsFile, node.Line, problem))
		}
		all = append(all, e)
	}
	if problems != nil {
		return nil, tooMany("exceptions that do not count", problems)
	}
	return all, nil
}

// verify checks the signature, and returns the owners' names.
func verify(content, signature []byte, owners []string) ([]string, error) {
	sign := fmt.Sprintf("have an owner run `ssh-keygen -Y sign -n %s -f KEY %s` and commit %s", ExceptionsNamespace, ExceptionsFile, SignatureFile)
	if len(bytes.TrimSpace(signature)) == 0 {
		return nil, fmt.Errorf("it is not signed; %s", sign)
	}
	signed, err := sshsig.Unarmor(signature)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; %s", SignatureFile, err, sign)
	}
	if len(owners) == 0 {
		return nil, errors.New("the stack's configuration names no owner who may sign it; add an owner's public key, or delete the file")
	}
	var names []string
	var key ssh.PublicKey
	for i, line := range owners {
		public, name, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil || name == "" {
			return nil, fmt.Errorf("owner %d of the stack's configuration: expected a public key and a name, such as \"ssh-ed25519 AAAA… jane@example.com\"", i+1)
		}
		names = append(names, name)
		if bytes.Equal(public.Marshal(), signed.PublicKey.Marshal()) {
			key = public
		}
	}
	if key == nil {
		return nil, fmt.Errorf("it is signed with the key %s, which is none of the owners' (%s); %s",
			ssh.FingerprintSHA256(signed.PublicKey), strings.Join(names, ", "), sign)
	}
	if err := sshsig.Verify(bytes.NewReader(content), signed, key, signed.HashAlgorithm, ExceptionsNamespace); err != nil {
		return nil, fmt.Errorf("%s is not its signature: %w; it was changed after it was signed, or signed for another purpose; %s", SignatureFile, err, sign)
	}
	return names, nil
}

// entriesOf returns the items of the only document's list.
func entriesOf(content []byte) ([]*yaml.Node, error) {
	root, err := yamldoc.Root(content)
	if err != nil || root == nil {
		return nil, err
	}
	if root.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: expected a list of exceptions, each with rule, resource, reason, owner and expires", root.Line)
	}
	return root.Content, nil
}

// parseException reads one exception, and returns all that is wrong with it.
func parseException(node *yaml.Node, rules []Rule, owners []string, now time.Time) (e Exception, problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if node.Kind != yaml.MappingNode {
		problem("expected an exception with rule, resource, reason, owner and expires")
		return e, problems
	}
	fields := map[string]*string{"rule": &e.Rule, "resource": &e.Resource, "reason": &e.Reason, "owner": &e.Owner, "expires": &e.Expires}
	given := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field, known := fields[key.Value]
		switch {
		case !known:
			problem("unknown key %q on line %d; allowed are rule, resource, reason, owner, expires", key.Value, key.Line)
		case given[key.Value]:
			problem("key %s is there twice, again on line %d; keep one", key.Value, key.Line)
		case value.Kind != yaml.ScalarNode || value.ShortTag() == "!!null":
			problem("%s must be a text", key.Value)
		default:
			*field = strings.TrimSpace(value.Value)
		}
		given[key.Value] = true
	}
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == e.Rule && r.ID != exceptions.ID }) {
		problem("rule %q is none; see docs/policy.md", e.Rule)
	}
	if !specific(e.Resource) {
		problem("resource %q: expected a URN, or type and name such as aws:lb/listener:Listener::app", e.Resource)
	}
	if e.Reason == "" {
		problem("reason is empty; say why, for those who find it later")
	}
	if !slices.Contains(owners, e.Owner) {
		problem("owner %q is none of the owners (%s)", e.Owner, strings.Join(owners, ", "))
	}
	if until, err := e.until(); err != nil {
		problem("expires %q: expected the last day on which it counts, such as 2026-12-31", e.Expires)
	} else if until.After(now.UTC().AddDate(0, 0, MaxExceptionDays+1)) {
		problem("expires %s is more than %d days ahead; an exception is for a time", e.Expires, MaxExceptionDays)
	}
	return e, problems
}
