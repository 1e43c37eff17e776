package install

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Record is the content of release.json: what a machine runs.
type Record struct {
	release.Release
	// Product and Environment are the ones the image was made for.
	Product     string `json:"product"`
	Environment string `json:"environment"`
	// SHA256 is the artifact's digest.
	SHA256 string `json:"sha256"`
	// ImageKey is the digest of all that went into the image.
	ImageKey string `json:"imageKey"`
}

func recordOf(m manifest.Manifest) Record {
	return Record{Release: m.Release, Product: m.Product, Environment: m.Environment, SHA256: m.Software.SHA256, ImageKey: m.Key}
}

// ReadRecord reads release.json.
func ReadRecord(name string) (Record, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Record{}, fmt.Errorf("reading the release: %w; relay install writes it", err)
	}
	var record Record
	if err := json.Unmarshal(data, &record); err != nil {
		return Record{}, fmt.Errorf("reading the release: %s: %w", name, err)
	}
	return record, nil
}

func writeRecord(name string, record Record) error {
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return writeFile(name, append(data, '\n'))
}
