package command

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

type caCommand struct {
	Ceremony     ceremonyCommand     `cmd:"" help:"Make root and issuing CAs, and the data directory, from one reviewed plan. Without --hold: says what would be made."`
	Status       caStatusCommand     `cmd:"" help:"Say how the hierarchy stands: validity left, revocation lists, counts, what was left half done."`
	List         caListCommand       `cmd:"" help:"List certificates."`
	Show         caShowCommand       `cmd:"" help:"Show one certificate."`
	Revoke       caRevokeCommand     `cmd:"" help:"End a certificate for good, of another authority too: ask for it, have another officer approve it, then redeem the approval."`
	Publish      caPublishCommand    `cmd:"" help:"Publish revocation lists now; take in one that the offline root signed."`
	RootOrder    caRootOrderCommand  `cmd:"" name:"root-order" help:"Write what the offline root is to sign: its next revocation list."`
	RootCRL      caRootCRLCommand    `cmd:"" name:"root-crl" help:"On the offline machine: sign what was ordered. Needs the root's keystore and no database."`
	Reshare      caReshareCommand    `cmd:"" help:"Put the root's keystore under new shares."`
	Orders       ordersCommand       `cmd:"" help:"Order certificates from another authority: place, send as a file, take in, accept."`
	ImportAnchor importAnchorCommand `cmd:"" name:"import-anchor" help:"Trust a certificate of another authority: ask for it, then redeem the approval."`
	RemoveAnchor removeAnchorCommand `cmd:"" name:"remove-anchor" help:"End the trust in an imported certificate."`
	ImportCRL    importCRLCommand    `cmd:"" name:"import-crl" help:"Take in a revocation list of an imported authority."`
	Anchors      anchorsCommand      `cmd:"" help:"List what was imported."`
}

// maxSmallFile bounds certificates, orders and lists that are read whole.
const maxSmallFile = 64 << 20

// readSmall reads a file that must not be large.
func readSmall(name string) ([]byte, error) {
	return readAtMost(name, maxSmallFile, errFlag.With("> %d MB", maxSmallFile>>20))
}

// readAtMost reads the whole of a file, or of a pipe, whose size shows only then; more than most octets are tooLarge.
func readAtMost(name string, most int64, tooLarge *fault.Fault) ([]byte, error) {
	f, size, err := openInput(name)
	if err != nil {
		return nil, at(err, name)
	}
	defer f.Close()
	if size > most {
		return nil, tooLarge.At(fault.File(name))
	}
	var b bytes.Buffer
	b.Grow(int(size) + bytes.MinRead) // a scan has a hundred megabytes: growing would take as much again
	if _, err := b.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > most {
		return nil, tooLarge.At(fault.File(name))
	}
	return b.Bytes(), nil
}

// pemOrDER takes the first PEM block of a kind out of a file, or the whole of it.
func pemOrDER(b []byte, kind string) []byte {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, kind) {
			return block.Bytes
		}
	}
	return b
}

// keyFingerprint is by what people compare the key of a certificate.
func keyFingerprint(c *chain.Certificate) keystore.Fingerprint {
	public, _ := c.PublicKey.(*ecdsa.PublicKey)
	return keystore.FingerprintOf(public)
}

// rootFlags are how the root's keystore is opened.
type rootFlags struct {
	RootKeys   string   `name:"root-keys" required:"" help:"Folder of the root's keystore." placeholder:"DIR"`
	Passphrase string   `name:"root-passphrase-file" help:"File with its passphrase (default: YINXIN_PASSPHRASE)." placeholder:"FILE"`
	Share      []string `name:"share" help:"File with a share; may be repeated. Shares that are missing are read from standard input." placeholder:"FILE" sep:"none"`
}

// open opens the root's keystore with its passphrase, or with shares from files and standard input.
func (r rootFlags) open(s streams) (*keystore.Store, error) {
	set, shared, err := keystore.Shares(r.RootKeys)
	if err != nil {
		return nil, err
	}
	if !shared {
		if len(r.Share) > 0 {
			return nil, keystore.ErrNoShares.At(fault.File(r.RootKeys))
		}
		passphrase, err := findPassphrase(dataFlags{PassphraseFile: r.Passphrase}, config{})
		if err != nil {
			return nil, err
		}
		return keystore.Open(r.RootKeys, keystore.Options{Passphrase: passphrase})
	}
	shares, err := readShares(s, r.Share, set)
	if err != nil {
		return nil, err
	}
	return keystore.OpenWithShares(r.RootKeys, nil, shares...)
}

// readShares reads shares from files, and those that are missing as people type them; each is checked before the next.
func readShares(s streams, files []string, set keystore.ShareSet) ([]keystore.Share, error) {
	var shares []keystore.Share
	add := func(text []byte, name string) error {
		share, err := keystore.ParseShare(text)
		if err == nil {
			err = set.Check(share)
		}
		if err != nil {
			return at(err, name)
		}
		shares = append(shares, share)
		return nil
	}
	for _, name := range files {
		text, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		if err := add(text, name); err != nil {
			return nil, err
		}
	}
	lines := newLines(s.in)
	for len(shares) < set.Threshold {
		fmt.Fprintf(s.err, "请输入第 %d 份密钥份额（共需 %d 份）的四行 the four lines of share %d of %d:\n", len(shares)+1, set.Threshold, len(shares)+1, set.Threshold)
		var text bytes.Buffer
		for range 4 {
			line, err := lines.next()
			if err != nil {
				return nil, keystore.ErrShareTooFew.With("%d / %d", len(shares), set.Threshold)
			}
			text.WriteString(line + "\n")
		}
		if err := add(text.Bytes(), "standard input"); err != nil {
			return nil, err
		}
	}
	return shares, nil
}

// writeShares writes each share into a file of its own, in a folder that must be empty or absent.
func writeShares(dir string, shares []keystore.Share, write func(name string, text []byte) error) error {
	return atomicFolder(dir, func(making string) error {
		for _, share := range shares {
			name := fmt.Sprintf("%s%cshare-%d-of-%d.txt", making, os.PathSeparator, share.Index(), share.Count())
			if err := write(name, []byte(share.Text())); err != nil {
				return err
			}
		}
		return nil
	})
}
