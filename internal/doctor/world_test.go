package doctor_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/doctor"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

const (
	accountID  = "123456789012"
	region     = "eu-central-1"
	state      = "shop-state"
	secretsKey = "arn:aws:kms:eu-central-1:123456789012:key/1"
	arn        = "arn:aws:codestar-connections:eu-central-1:123456789012:connection/1"
)

var binary = []byte("the relay binary")

// world is a world in which qa can be provisioned and delivered to. A test damages it, and examines it then.
type world struct {
	*testing.T
	subject doctor.Subject
	app     githubsim.App
	aws     *awssim.Account
	forge   *githubsim.Server
	s3      *s3.Client
}

// key is slow to make.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// secret is the App's, as it lies in Secrets Manager.
func secret(appID int) string {
	text, _ := json.Marshal(map[string]any{
		"appId": appID, "installationId": 8,
		"privateKey": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())})),
	})
	return string(text)
}

// newWorld makes a good world, but for what is done to its App and its subject before anything exists.
func newWorld(t *testing.T, before func(*world)) *world {
	t.Helper()
	w := &world{T: t, app: githubsim.App{ID: 7, Installation: 8, Login: "relay[bot]", Key: &key().PublicKey}}
	w.aws = awssim.New(awssim.Options{AccountID: accountID, Region: region, Dir: t.TempDir()})
	t.Cleanup(w.aws.Close)
	cloud := httptest.NewServer(w.aws)
	t.Cleanup(cloud.Close)
	w.subject = doctor.Subject{
		Product: "shop", Environment: "qa", Upstream: "dev", Project: "ha-devops", Backend: "s3://" + state, Account: accountID, Region: region,
		SecretsKey: secretsKey, Addresses: 2, Bucket: "shop-qa", Connection: "shop-qa", Domain: "qa.shop.example.com", Pulumi: w.pulumi("v3.255.0"), Machine: region,
		Hub: doctor.Hub{Owner: "acme", App: 7, Token: "kims", Repositories: []doctor.Repository{
			{Role: "software", Name: "software", Branch: "qa", Source: true},
			{Role: "image", Name: "image", Branch: "qa", Source: true, Handoffs: true},
			{Role: "infrastructure", Name: "infrastructure", Branch: "qa", Source: true, Handoffs: true},
			{Role: "devops", Name: "devops", Branch: "main"},
		}},
	}
	w.subject.Cloud = aws.Config{
		Region: region, BaseEndpoint: aws.String(cloud.URL), Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) },
	}
	if before != nil {
		before(w)
	}
	w.github()
	w.account()
	w.subject.State = w.subject.Cloud
	return w
}

func (w *world) github() {
	var err error
	w.forge, err = githubsim.New(githubsim.Options{
		Dir: w.TempDir(), Owner: "acme", Apps: []githubsim.App{w.app},
		Tokens: map[string]githubsim.Actor{"kims": {Login: "kim"}, "plain": {Login: "relay[bot]", App: 9}},
	})
	require.NoError(w, err)
	web := httptest.NewServer(w.forge)
	w.Cleanup(web.Close)
	w.subject.Hub.API = web.URL + "/api/v3/"
	for _, name := range []string{"software", "image", "infrastructure", "devops"} {
		require.NoError(w, w.forge.CreateRepository(w.Context(), githubsim.Repository{Name: name, AutoInit: true}))
		_, err := w.forge.CreateBranch(w.Context(), name, "qa", "main")
		require.NoError(w, err)
	}
	w.commit("infrastructure", "ami-id", "ami-00000001\n")
}

func (w *world) account() {
	w.s3 = s3.NewFromConfig(w.subject.Cloud)
	for _, name := range []string{state, "tools", "shop-qa"} {
		require.NoError(w, w.aws.CreateBucket(name))
	}
	w.versions(types.BucketVersioningStatusEnabled)
	for _, stack := range []string{"dev", "qa"} {
		require.NoError(w, w.aws.PutObject(state, ".pulumi/stacks/ha-devops/"+stack+".json", []byte("{}")))
	}
	sum := sha256.Sum256(binary)
	w.subject.Tools = []doctor.Tool{{Name: "relay", URI: "s3://tools/relay", SHA256: hex.EncodeToString(sum[:])}}
	_, err := w.s3.PutObject(w.Context(), &s3.PutObjectInput{
		Bucket: aws.String("tools"), Key: aws.String("relay"), Body: strings.NewReader(string(binary)),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	require.NoError(w, err)
	w.subject.Hub.Secret = w.aws.SetSecret("shop/github", secret(7))
	w.aws.PutKey(secretsKey, awssim.Key{State: "Enabled"})
	w.aws.PutConnection(arn, awssim.Connection{Name: "shop-qa", Status: "AVAILABLE"})
	w.aws.PutCertificate("arn:aws:acm:1", awssim.Certificate{Domain: "qa.shop.example.com", Status: "ISSUED"})
}

func (w *world) versions(status types.BucketVersioningStatus) {
	_, err := w.s3.PutBucketVersioning(w.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String(state), VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	require.NoError(w, err)
}

// pulumi makes a Pulumi CLI that says its version.
func (w *world) pulumi(version string) string {
	path := filepath.Join(w.TempDir(), "pulumi")
	require.NoError(w, os.WriteFile(path, []byte("#!/bin/sh\n[ \"$*\" = version ] && echo "+version+"\n"), 0o755))
	return path
}

func (w *world) commit(repository, path, content string) {
	_, err := w.forge.WriteFile(w.Context(), repository, githubsim.FileWrite{Branch: "qa", Path: path, Content: []byte(content), Message: path},
		githubsim.Actor{Login: "relay[bot]", App: 7})
	require.NoError(w, err)
}

func (w *world) examine() []doctor.Result {
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	return doctor.Run(ctx, w.subject.Checks(), 20*time.Second)
}
