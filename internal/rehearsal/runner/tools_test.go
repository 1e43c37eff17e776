package runner

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheStandInCopiesToAndFromS3(t *testing.T) {
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("bucket"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "relay")
	require.NoError(t, os.WriteFile(file, []byte("binary"), 0o755))
	var stderr bytes.Buffer
	for _, args := range [][]string{
		{file, "s3://bucket/bin/"},
		{"s3://bucket/bin/relay", filepath.Join(dir, "new", "copy"), "--no-progress"},
		{"s3://bucket/bin/relay", filepath.Join(dir, "new") + "/"},
	} {
		require.Zero(t, AWSMain(t.Context(), append([]string{"s3", "cp"}, args...), &stderr), stderr.String())
	}
	for _, name := range []string{"copy", "relay"} {
		got, err := os.ReadFile(filepath.Join(dir, "new", name))
		require.NoError(t, err)
		assert.Equal(t, "binary", string(got))
	}
	assert.Equal(t, 1, AWSMain(t.Context(), []string{"s3", "cp", "s3://bucket/gone", file}, &stderr))
	assert.Contains(t, stderr.String(), "s3://bucket/gone")
}

func TestTheStandInForTheAWSCLI(t *testing.T) {
	var stderr bytes.Buffer
	assert.Equal(t, 252, AWSMain(t.Context(), []string{"s3", "ls"}, &stderr))
	assert.Contains(t, stderr.String(), "not simulated")
	assert.Equal(t, 1, AWSMain(t.Context(), []string{"s3", "cp", "a", "b", "--quiet"}, &stderr))

	dir := t.TempDir()
	self := filepath.Join(dir, "it's me")
	require.NoError(t, os.WriteFile(self, []byte("#!/bin/sh\necho \"$@\"\n"), 0o755))
	require.NoError(t, InstallTools(filepath.Join(dir, "bin"), self))
	out, err := output(t.Context(), dir, environ(), filepath.Join(dir, "bin", "aws"), "s3", "cp", "a b")
	require.NoError(t, err)
	assert.Equal(t, AWSArgument+" s3 cp a b\n", out)
}
