package awssim

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// BucketSettings are what a bucket does with every object. A new bucket has S3's defaults: it encrypts with S3's own key and is closed
// to the public (Amazon S3 User Guide, "Default settings for new S3 buckets FAQ"). Versions are kept once its API was told to.
type BucketSettings struct {
	// Unencrypted says that nothing is encrypted, as in buckets of old; Key is the KMS key that encrypts, empty for S3's own.
	Unencrypted bool
	Key         string
	// Open says that public access is not blocked.
	Open bool
}

// SetBucket changes a bucket's settings.
func (a *Account) SetBucket(name string, settings BucketSettings) {
	set(&a.around, &a.around.buckets, name, settings)
}

type (
	encryptionXML struct {
		XMLName   xml.Name `xml:"ServerSideEncryptionConfiguration"`
		Algorithm string   `xml:"Rule>ApplyServerSideEncryptionByDefault>SSEAlgorithm"`
		Key       string   `xml:"Rule>ApplyServerSideEncryptionByDefault>KMSMasterKeyID,omitempty"`
	}
	accessXML struct {
		XMLName                                                                     xml.Name `xml:"PublicAccessBlockConfiguration"`
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}
)

// serveSettings answers a question about a bucket's settings, and says whether it was one.
func (a *Account) serveSettings(w http.ResponseWriter, r *http.Request) bool {
	encryption, access := r.URL.Query().Has("encryption"), r.URL.Query().Has("publicAccessBlock")
	bucket := strings.Trim(r.URL.Path, "/")
	if r.Method != http.MethodGet || encryption == access || strings.Contains(bucket, "/") {
		return false
	}
	if !a.BucketExists(bucket) {
		writeS3Error(w, &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"})
		return true
	}
	a.around.mu.Lock()
	settings := a.around.buckets[bucket]
	a.around.mu.Unlock()
	switch {
	case encryption && settings.Unencrypted:
		writeS3Error(w, &apiError{http.StatusNotFound, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"})
	case encryption && settings.Key != "":
		writeXML(w, http.StatusOK, encryptionXML{Algorithm: "aws:kms", Key: settings.Key})
	case encryption:
		writeXML(w, http.StatusOK, encryptionXML{Algorithm: "AES256"})
	case settings.Open:
		writeS3Error(w, &apiError{http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"})
	default:
		writeXML(w, http.StatusOK, accessXML{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true})
	}
	return true
}
