package publish_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/publish"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// program is the head of a program, which is all that is looked at, and something behind it.
func program(t *testing.T, machine elf.Machine, rest string) string {
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	var out bytes.Buffer
	require.NoError(t, binary.Write(&out, binary.LittleEndian, header))
	return write(t, "program", append(out.Bytes(), rest...))
}

func write(t *testing.T, name string, content []byte) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// release is a plugin's tar with one file in it.
func release(t *testing.T, name, inside string) string {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: inside, Mode: 0o755}))
	require.NoError(t, files.Close())
	require.NoError(t, zipped.Close())
	return write(t, name, out.Bytes())
}

func bucket(t *testing.T) (*awssim.Account, *s3.Client) {
	account := awssim.New(awssim.Options{AccountID: "123456789012", Region: "eu-central-1", Dir: t.TempDir()})
	t.Cleanup(account.Close)
	server := httptest.NewServer(account)
	t.Cleanup(server.Close)
	require.NoError(t, account.CreateBucket("tools"))
	return account, s3.New(s3.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-central-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
}

func TestWhatIsThereIsNotUploadedAgain(t *testing.T) {
	account, client := bucket(t)
	path := program(t, elf.EM_X86_64, "one")
	first, err := publish.Put(t.Context(), client, "tools", publish.Relay, path)
	require.NoError(t, err)
	assert.True(t, first.Uploaded)
	assert.Equal(t, "s3://tools/relay/linux-amd64/"+first.SHA256, first.URI)
	key := "relay/linux-amd64/" + first.SHA256
	have, err := account.GetObject("tools", key)
	require.NoError(t, err)
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, want, have)

	again, err := publish.Put(t.Context(), client, "tools", publish.Relay, path)
	require.NoError(t, err)
	assert.False(t, again.Uploaded)
	// As aws s3 cp leaves it: without a SHA-256.
	require.NoError(t, account.PutObject("tools", key, want))
	again, err = publish.Put(t.Context(), client, "tools", publish.Relay, path)
	require.NoError(t, err)
	assert.Equal(t, publish.Published{URI: first.URI, SHA256: first.SHA256}, again)

	require.NoError(t, account.PutObject("tools", key, []byte("evil")))
	_, err = publish.Put(t.Context(), client, "tools", publish.Relay, path)
	var tampered *publish.TamperedError
	require.ErrorAs(t, err, &tampered)
	assert.Equal(t, first.URI, tampered.URI)
}

func TestFilesOfAnotherKindAreRefused(t *testing.T) {
	account, client := bucket(t)
	const name = "pulumi-resource-aws-v6.83.2-linux-amd64.tar.gz"
	for text, path := range map[string]string{
		"it is not a program for Linux":                      write(t, "program", []byte("#!/bin/sh\n")),
		"it is for EM_AARCH64; expected a program for linux": program(t, elf.EM_AARCH64, ""),
		"no such file": filepath.Join(t.TempDir(), "nothing"),
	} {
		_, err := publish.Put(t.Context(), client, "tools", publish.Pulumi, path)
		var invalid *publish.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.ErrorContains(t, err, text)
	}
	for text, path := range map[string]string{
		"not compressed":                     write(t, name, []byte("x")),
		"there is no pulumi-resource-aws in": release(t, name, "README.md"),
	} {
		kind, version, err := publish.Plugin("aws", path)
		require.NoError(t, err)
		assert.Equal(t, "6.83.2", version)
		_, err = publish.Put(t.Context(), client, "tools", kind, path)
		require.ErrorContains(t, err, text)
	}
	for _, other := range []string{"pulumi-resource-github-v6.7.2-linux-amd64.tar.gz", "pulumi-resource-aws-v6.83.2-linux-arm64.tar.gz", "aws.tar.gz"} {
		_, _, err := publish.Plugin("aws", other)
		require.ErrorContains(t, err, "expected the name of a release")
	}
	require.NoError(t, account.DeleteBucket("tools", false), "nothing was uploaded")
}
