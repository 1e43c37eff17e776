package artifact

import (
	"fmt"
	"regexp"
	"strings"
)

// SoftwareKey returns the S3 key of a software artifact.
func SoftwareKey(product, tag string) string {
	return fmt.Sprintf("software/%s/%s-%s.tar.gz", tag, product, tag)
}

// ImageKey returns the S3 key of an image repository's content, which its digest addresses.
func ImageKey(sha256 string) string { return fmt.Sprintf("image/%s.tar.gz", sha256) }

// ProvenanceKey returns the S3 key of the provenance statement that lies beside an artifact.
func ProvenanceKey(key string) string { return strings.TrimSuffix(key, ".tar.gz") + ".provenance.json" }

// URI returns the s3:// address of an object.
func URI(bucket, key string) string { return "s3://" + bucket + "/" + key }

// The rules for bucket names are S3's; of the keys that S3 takes, only those that need no escape anywhere.
var s3URI = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([A-Za-z0-9][A-Za-z0-9._/+=@-]*)$`)

// ParseURI splits the s3:// address of an object.
func ParseURI(uri string) (bucket, key string, err error) {
	match := s3URI.FindStringSubmatch(uri)
	if match == nil || len(match[2]) > 1024 {
		return "", "", fmt.Errorf("%.80q is not the address of an object; expected s3://bucket/key", uri)
	}
	return match[1], match[2], nil
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// IsSHA256 says whether a text is a SHA-256 digest in lower case hex.
func IsSHA256(s string) bool { return sha256Hex.MatchString(s) }
