package lint_test

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/tekpossible/ha-devops/internal/lint"
)

// owner is a key and its line of authorized_keys. The same byte makes the same key.
func owner(t testing.TB, seed byte, name string) (ssh.Signer, string) {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	require.NoError(t, err)
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + name
}

func sign(t testing.TB, signer ssh.Signer, content []byte, namespace string) []byte {
	t.Helper()
	signature, err := sshsig.Sign(bytes.NewReader(content), signer, sshsig.HashSHA512, namespace)
	require.NoError(t, err)
	return sshsig.Armor(signature)
}

const good = `- rule: plain-http
  resource: aws:lb/listener:Listener::app
  reason: the certificate is late
  owner: jane@example.com
  expires: 2026-12-31
`

// parse reads what jane has signed.
func parse(t testing.TB, content string) ([]lint.Exception, error) {
	t.Helper()
	jane, line := owner(t, 1, "jane@example.com")
	_, other := owner(t, 2, "omar@example.com")
	return lint.ParseExceptions([]byte(content), sign(t, jane, []byte(content), lint.ExceptionsNamespace), []string{line, other}, today)
}

func TestParseExceptions(t *testing.T) {
	parsed, err := parse(t, good+strings.ReplaceAll(strings.ReplaceAll(good, "Listener::app", "Listener::other"), "jane", "omar"))
	require.NoError(t, err)
	require.Len(t, parsed, 2)
	assert.Equal(t, lint.Exception{
		Rule: "plain-http", Resource: "aws:lb/listener:Listener::app", Reason: "the certificate is late", Owner: "jane@example.com", Expires: "2026-12-31",
	}, parsed[0])
	for _, empty := range []string{"", "# none\n", "[]\n", "---\n"} {
		parsed, err := parse(t, empty)
		require.NoError(t, err, empty)
		assert.Empty(t, parsed, empty)
	}
	parsed, err = lint.ParseExceptions(nil, nil, nil, today)
	require.NoError(t, err, "there is no file")
	assert.Empty(t, parsed)
}

func TestASignatureOfSSHKeygen(t *testing.T) {
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("testdata", "exceptions", name))
		require.NoError(t, err)
		return content
	}
	content, signature, owners := read(lint.ExceptionsFile), read(lint.SignatureFile), []string{string(read("owner.pub"))}
	parsed, err := lint.ParseExceptions(content, signature, owners, today)
	require.NoError(t, err)
	require.Len(t, parsed, 1)
	assert.Equal(t, "jane@example.com", parsed[0].Owner)

	_, err = lint.ParseExceptions(bytes.ReplaceAll(content, []byte("2026-12-31"), []byte("2027-01-31")), signature, owners, today)
	assert.ErrorContains(t, err, "changed after it was signed")
}

func TestExceptionsThatNoOwnerHasSigned(t *testing.T) {
	jane, line := owner(t, 1, "jane@example.com")
	mallory, _ := owner(t, 3, "jane@example.com")
	content := []byte(good)
	signed := sign(t, jane, content, lint.ExceptionsNamespace)
	const remedy = "ssh-keygen -Y sign -n ha-devops-exceptions -f KEY policy-exceptions.yaml"
	for _, test := range []struct {
		name      string
		content   []byte
		signature []byte
		owners    []string
		says      []string
	}{
		{"no signature", content, nil, []string{line}, []string{"it is not signed", remedy}},
		{"an empty file that is not signed", []byte{}, nil, []string{line}, []string{"it is not signed", remedy}},
		{"no signature at all", content, []byte("signed: jane"), []string{line}, []string{"policy-exceptions.yaml.sig cannot be read", remedy}},
		{"another's key", content, sign(t, mallory, content, lint.ExceptionsNamespace), []string{line}, []string{"none of the owners' (jane@example.com)", remedy}},
		{"another purpose", content, sign(t, jane, content, "git"), []string{line}, []string{"signed for another purpose", remedy}},
		{"another content", append(content, '\n'), signed, []string{line}, []string{"changed after it was signed", remedy}},
		{"no owners", content, signed, nil, []string{"the stack's configuration names no owner"}},
		{"an owner without a name", content, signed, []string{strings.TrimSuffix(line, " jane@example.com")}, []string{"owner 1 of the stack's configuration"}},
		{"an owner that is no key", content, signed, []string{line, "jane"}, []string{"owner 2 of the stack's configuration"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			parsed, err := lint.ParseExceptions(test.content, test.signature, test.owners, today)
			for _, text := range test.says {
				require.ErrorContains(t, err, text)
			}
			assert.Empty(t, parsed)
		})
	}
}

func TestExceptionsThatAreWrong(t *testing.T) {
	change := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for _, test := range []struct{ name, content, says string }{
		{"an unknown key", good + "  ticket: 12\n", `line 1: unknown key "ticket" on line 6; allowed are rule, resource, reason, owner, expires`},
		{"a key twice", good + "  rule: imdsv2\n", "line 1: key rule is there twice, again on line 6"},
		{"an unknown rule", change("plain-http", "plain-htp"), `line 1: rule "plain-htp" is none`},
		{"the rule of exceptions", change("plain-http", "exceptions"), `line 1: rule "exceptions" is none`},
		{"no resource", change("aws:lb/listener:Listener::app", "app"), `line 1: resource "app": expected a URN`},
		{"any resource of a name", change("aws:lb/listener:Listener::app", "\"::app\""), `line 1: resource "::app": expected a URN`},
		{"no reason", change("the certificate is late", `" "`), "line 1: reason is empty"},
		{"a reason of null", change("the certificate is late", "~"), "line 1: reason must be a text"},
		{"a stranger", change("jane@", "mallory@"), `line 1: owner "mallory@example.com" is none of the owners (jane@example.com, omar@example.com)`},
		{"a bad date", change("2026-12-31", "2026-02-30"), `line 1: expires "2026-02-30": expected the last day`},
		{"no date", change("2026-12-31", "never"), `line 1: expires "never"`},
		{"for ever", change("2026-12-31", "2027-02-23"), "line 1: expires 2027-02-23 is more than 90 days ahead"},
		{"twice", good + good, "line 6: it is the same as on line 1; keep one"},
		{"no list", "rule: imdsv2\n", "line 1: expected a list of exceptions"},
		{"a list of texts", "- imdsv2\n", "line 1: expected an exception with rule"},
		{"a list in a value", change("plain-http", "[plain-http]"), "line 1: rule must be a text"},
		{"two documents", good + "---\n" + good, "there is more than one document"},
		{"no YAML", "- {", "policy-exceptions.yaml: line 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parsed, err := parse(t, test.content)
			require.ErrorContains(t, err, test.says)
			assert.Empty(t, parsed)
		})
	}
	parsed, err := parse(t, change("2026-12-31", "2027-02-22"))
	require.NoError(t, err, "90 days ahead")
	assert.Len(t, parsed, 1)
}

func TestAllThatIsWrongWithExceptionsIsSaidAtOnce(t *testing.T) {
	_, err := parse(t, "- rule: none\n- rule: imdsv2\n  expires: soon\n  who: me\n")
	for _, text := range []string{"line 1: rule", "line 1: resource", "line 1: reason", "line 1: owner", "line 1: expires", "line 2: unknown key", "line 2: expires"} {
		assert.ErrorContains(t, err, text)
	}
	assert.NotContains(t, err.Error(), "more", "all of them")
}

// Whatever is signed is read without a crash, and what is accepted is whole.
func FuzzParseExceptions(f *testing.F) {
	for _, seed := range []string{
		good, good + good, "", "[]", "- rule: *a\n", "a: &a [*a]\n", "- {rule: imdsv2, resource: 'a:b::c', reason: r, owner: jane@example.com, expires: 2026-11-24}",
		"- rule: !!binary aW1kc3Yy\n", "? [a]\n: b\n", "--- |\n text\n--- x\n", "- <<: {rule: imdsv2}\n", "\x00", "- rule: imdsv2\n  expires: 2026-11-24T00:00:00Z\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		parsed, err := parse(t, content)
		if err != nil {
			assert.Empty(t, parsed)
			assert.Contains(t, err.Error(), "exceptions")
			return
		}
		for _, e := range parsed {
			assert.NotContains(t, []string{e.Rule, e.Reason, e.Owner, e.Expires}, "")
			assert.Contains(t, e.Resource, "::")
		}
	})
}

// Whatever the signature is, only a true one is accepted.
func FuzzSignature(f *testing.F) {
	jane, line := owner(f, 1, "jane@example.com")
	signature := string(sign(f, jane, []byte(good), lint.ExceptionsNamespace))
	for _, seed := range []string{signature, signature[:40], "", "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, other string) {
		_, err := lint.ParseExceptions([]byte(good+"\n"), []byte(other), []string{line}, today)
		assert.Error(t, err)
	})
}
