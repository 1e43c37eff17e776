package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// bootstrapped makes the account as docs/bootstrap.md leaves it, and program, a program for Linux on x86-64.
func bootstrapped(ts *testscript.TestScript, _ bool, args []string) {
	account := of(ts).aws
	ts.Check(account.CreateBucket("tools"))
	keepVersions(ts, types.BucketVersioningStatusEnabled)
	account.PutKey("arn:aws:kms:eu-central-1:123456789012:key/1", awssim.Key{State: "Enabled"})
	for _, environment := range args {
		ts.Check(account.PutObject(stateBucket, ".pulumi/stacks/ha-devops/"+environment+".json", []byte("{}")))
		account.PutConnection("arn:connection/"+environment, awssim.Connection{Name: "shop-" + environment, Status: "AVAILABLE"})
		account.PutCertificate("arn:certificate/"+environment, awssim.Certificate{Domain: environment + ".example.com", Status: "ISSUED"})
	}
	ts.Check(os.WriteFile(ts.MkAbs("program"), program64(elf.EM_X86_64), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs("program-arm"), program64(elf.EM_AARCH64), 0o755))
}

// program64 is the head of a program, which is all that is looked at.
func program64(machine elf.Machine) []byte {
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	var out bytes.Buffer
	_ = binary.Write(&out, binary.LittleEndian, header) // a buffer takes everything
	return out.Bytes()
}

func keepVersions(ts *testscript.TestScript, status types.BucketVersioningStatus) {
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(ts.Getenv("AWS_ENDPOINT_URL")), Region: "eu-central-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	_, err := client.PutBucketVersioning(context.Background(), &s3.PutBucketVersioningInput{
		Bucket: aws.String(stateBucket), VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	ts.Check(err)
}

// damage does one of: pending ENV, versions, tool FILE (with its address), expired.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	account := of(ts).aws
	switch args[0] {
	case "pending":
		account.PutConnection("arn:connection/"+args[1], awssim.Connection{Name: "shop-" + args[1], Status: "PENDING"})
	case "versions":
		keepVersions(ts, types.BucketVersioningStatusSuspended)
	case "tool":
		bucket, key, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(ts.ReadFile(args[1])), "s3://"), "/")
		ts.Check(account.PutObject(bucket, key, []byte("other content")))
	case "expired":
		account.Expire()
	default:
		ts.Fatalf("damage %s is not known", args[0])
	}
}
