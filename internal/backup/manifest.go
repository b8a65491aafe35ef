package backup

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// The names of a backup's own files.
const (
	manifestName   = "manifest.json"
	signatureName  = "manifest.sig"
	databaseFolder = "database"
	filesFolder    = "files"
	tableSuffix    = ".jsonl"

	format = 1
	// maxManifest bounds a manifest that is read, in bytes: about three million files.
	maxManifest = 512 << 20
)

// Manifest says what a backup is and what is in it.
type Manifest struct {
	Format   int              `json:"format"`
	Tool     string           `json:"tool"` // program and version
	Name     string           `json:"name"` // of the installation
	Made     time.Time        `json:"made"` // when the state of the database was taken
	Dialect  string           `json:"dialect"`
	Versions map[string]int64 `json:"versions"` // of each room's migrations
	// Size is how many entries the ledger had, Checkpoint its newest signed checkpoint in that state; perhaps none.
	Size       int64  `json:"ledger_size"`
	Checkpoint string `json:"checkpoint,omitempty"`
	Vanished   int    `json:"vanished"` // objects that were removed while the backup was made
	Files      []File `json:"files"`
}

// File is one file of a backup.
type File struct {
	Path string `json:"path"` // with slashes
	Size int64  `json:"size"`
	SM3  string `json:"sm3"` // hexadecimal
}

// Bytes is the size of all files.
func (m Manifest) Bytes() (sum int64) {
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// Signer is the key of the ledger.
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

func (m Manifest) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", " ")
	return append(text, '\n'), err
}

// DigestOf is SM3 of a manifest's bytes in hexadecimal digits, by which the ledger names a backup.
func digestOf(manifest []byte) string {
	sum := sm3.Sum(manifest)
	return hex.EncodeToString(sum[:])
}

func sign(ctx context.Context, key Signer, manifest []byte) ([]byte, error) {
	z, err := sm2.CalculateZA(key.Public(), []byte(oid.SM2UserID))
	if err != nil {
		return nil, err
	}
	return key.SignDigest(ctx, sm3.Sum(append(z, manifest...)))
}

// parseManifest reads a manifest whose signature was found good, and does not trust it further than that.
func parseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Format != format {
		return m, ErrNotBackup.At(fault.File(manifestName)).Because(err)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !safe(f.Path) || f.Size < 0 || len(f.SM3) != 2*sm3.Size || seen[f.Path] {
			return m, ErrNotBackup.At(fault.File(manifestName)).With("%q", f.Path)
		}
		seen[f.Path] = true
	}
	return m, nil
}

// safe says whether a name stays inside the folder that it is extracted to, on every system.
func safe(name string) bool {
	return name != "" && len(name) < 500 && path.Clean(name) == name && filepath.IsLocal(filepath.FromSlash(name)) && !strings.ContainsAny(name, "\\:\x00") &&
		name != manifestName && name != signatureName
}
