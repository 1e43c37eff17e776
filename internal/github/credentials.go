package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/bradleyfalzon/ghinstallation/v2"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// Secrets is what Fetch needs of Secrets Manager.
type Secrets interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Credentials are what calls authenticate with: a plain token, or the key of a GitHub App that gets tokens of its installation, each
// good for an hour. Neither appears in an error, or in what a Credentials is printed as.
type Credentials struct {
	token string
	app   app
}

// app is a GitHub App's installation as the secret has it.
type app struct {
	ID           int64  `json:"appId"`
	Installation int64  `json:"installationId"`
	Key          string `json:"privateKey"`
}

// String hides what is secret.
func (c Credentials) String() string {
	if c.app.ID != 0 {
		return fmt.Sprintf("GitHub App %d", c.app.ID)
	}
	return "a plain token"
}

// GoString hides what is secret.
func (c Credentials) GoString() string { return c.String() }

// Fetch fetches credentials from a secret, whose text is a token alone, or an App in JSON: {"appId": 1, "installationId": 2,
// "privateKey": "-----BEGIN RSA PRIVATE KEY-----\n…"}.
func Fetch(ctx context.Context, secrets Secrets, arn string) (Credentials, error) {
	out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return Credentials{}, fmt.Errorf("fetching the GitHub token from the secret %s: %w", arn, err)
	}
	c, err := ParseCredentials(aws.ToString(out.SecretString))
	if err != nil {
		return Credentials{}, fmt.Errorf("the secret %s: %w", arn, err)
	}
	return c, nil
}

const shapes = `expected a token alone, or {"appId": …, "installationId": …, "privateKey": "-----BEGIN …"}`

// ParseCredentials reads the text of a secret, as Fetch describes it.
func ParseCredentials(text string) (Credentials, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return Credentials{}, errors.New("it does not hold a token; " + shapes)
		}
		return Credentials{token: text}, nil
	}
	var a app
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	// The decoder's own words may have a piece of the secret in them.
	if err := decoder.Decode(&a); err != nil || decoder.More() {
		return Credentials{}, errors.New("it is not JSON with these keys alone; " + shapes)
	}
	c := Credentials{app: a}
	var problems []error
	for _, p := range []struct {
		is   bool
		text string
	}{
		{a.ID <= 0, "appId must be the number that the App's page shows"},
		{a.Installation <= 0, "installationId must be the number at the end of the installation's address"},
		{c.check() != nil, "privateKey must be the App's RSA key in PEM, with its line breaks as \\n"},
	} {
		if p.is {
			problems = append(problems, errors.New(p.text))
		}
	}
	return c, errors.Join(problems...)
}

// check says whether the App's key is one.
func (c Credentials) check() error {
	_, err := ghinstallation.New(nil, c.app.ID, c.app.Installation, []byte(c.app.Key))
	return err
}

// transport authenticates every call; an App's token is renewed a minute before it expires.
func (c Credentials) transport(root string) (http.RoundTripper, error) {
	network := named{http.DefaultTransport.(*http.Transport).Clone()}
	if c.app.ID == 0 {
		return bearer{c.token, network}, nil
	}
	return c.installation(root, network)
}

func (c Credentials) installation(root string, network http.RoundTripper) (*ghinstallation.Transport, error) {
	transport, err := ghinstallation.New(network, c.app.ID, c.app.Installation, []byte(c.app.Key))
	if err != nil {
		return nil, fmt.Errorf("GitHub App %d: its private key is not an RSA key in PEM", c.app.ID)
	}
	transport.BaseURL = strings.TrimSuffix(root, "/")
	return transport, nil
}

// bearer puts a token on every call.
type bearer struct {
	token   string
	network http.RoundTripper
}

// RoundTrip makes the call.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.network.RoundTrip(r)
}

// named puts the name of its caller on every call, as GitHub asks for (GitHub Docs, "Getting started with the REST API": User-Agent): this
// program, and the build that it runs in, so that GitHub's audit log says which pipeline run did what.
type named struct{ network http.RoundTripper }

// RoundTrip makes the call.
func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	agent := "ha-devops-relay"
	if build := os.Getenv("CODEBUILD_BUILD_ID"); build != "" {
		agent += " (build " + build + ")"
	}
	r.Header.Set("User-Agent", agent)
	return n.network.RoundTrip(r)
}

// Token returns a token for other programs, such as Pulumi's GitHub provider and git; an App's is good for an hour. root is as in New.
func (c Credentials) Token(ctx context.Context, root string) (string, error) {
	if c.app.ID == 0 {
		return c.token, nil
	}
	if _, err := parseRoot(root); err != nil {
		return "", err
	}
	transport, err := c.installation(root, named{http.DefaultTransport})
	if err != nil {
		return "", err
	}
	token, err := retry.Do(ctx, retry.Call(), func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, retry.RequestTimeout)
		defer cancel()
		token, err := transport.Token(ctx)
		return token, judged(nil, err)
	})
	if err != nil {
		return "", fmt.Errorf("getting a token for GitHub App %d: %w", c.app.ID, err)
	}
	return token, nil
}

// Token fetches credentials from a secret and returns a token, see Fetch and Credentials.Token.
func Token(ctx context.Context, secrets Secrets, arn, root string) (string, error) {
	c, err := Fetch(ctx, secrets, arn)
	if err != nil {
		return "", err
	}
	return c.Token(ctx, root)
}
