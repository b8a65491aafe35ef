package oidc

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/fault"
)

// variable names the environment variable with the client secret of a provider.
func variable(name string) string {
	return "YINXIN_OIDC_SECRET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// maxFile bounds the files that a setting names.
const maxFile = 1 << 20

// Secret gives the client secret of a setting: the first line of its file, in dir or absolute, or the environment
// variable. Error: oidc.secret.
func (s Setting) Secret(dir string) (string, error) {
	if s.PublicClient {
		return "", nil
	}
	text := os.Getenv(variable(s.Name))
	if s.ClientSecretFile != "" {
		b, err := read(dir, s.ClientSecretFile)
		if err != nil {
			return "", ErrSecret.With("%s", s.Name).At(fault.File(s.ClientSecretFile)).Because(err)
		}
		text, _, _ = strings.Cut(string(b), "\n")
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" || len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", ErrSecret.With("%s: client_secret_file, %s", s.Name, variable(s.Name)).At(fault.Field("login.oidc.client_secret_file"))
	}
	return text, nil
}

// roots are the authorities of a setting; nil: those of the system.
func (s Setting) roots(dir string) (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil
	}
	b, err := read(dir, s.CAFile)
	if err != nil {
		return nil, ErrConfig.With("%s", s.Name).At(fault.File(s.CAFile)).Because(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, ErrConfig.Sayingf("%s：没有 PEM 格式的证书", "%s: no certificate in PEM", s.Name).At(fault.File(s.CAFile))
	}
	return pool, nil
}

func read(dir, name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, os.ErrInvalid
	}
	return os.ReadFile(name)
}
