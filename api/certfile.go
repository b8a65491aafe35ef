package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/verify"
)

// certificateMedia are the types of files of certificates.
var certificateMedia = []string{"application/pkix-cert", "application/x-x509-ca-cert", "application/pem-certificate-chain", "application/x-pem-file",
	"application/pkcs7-mime", "application/x-pkcs7-certificates"}

// certificateVerification judges a file of certificates, which is in memory and nowhere else.
func (s *server) certificateVerification(w http.ResponseWriter, r *http.Request) {
	report, err := s.certificatesOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store") // it describes somebody's file
	s.giveJSON(w, r, http.StatusOK, report)
}

func (s *server) certificatesOf(r *http.Request) (*verify.CertificatesReport, error) {
	var at time.Time
	if text := r.URL.Query().Get("at"); text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, errInvalid.At(fault.Field("at"))
		}
	}
	name, data, err := s.smallFile(r)
	if err != nil {
		return nil, err
	}
	return s.judgedCertificates(r.Context(), name, data, at, languageOf(r))
}

// smallFile takes the file of a request into memory, one of those that may be arriving at the same time.
func (s *server) smallFile(r *http.Request) (name string, data []byte, err error) {
	leave, err := s.uploading.take(r.Context(), impatient())
	if err != nil {
		return "", nil, err
	}
	defer leave()
	name, body, err := fileOf(r, verify.MaxCertificateFile, certificateMedia...)
	if err != nil {
		return "", nil, err
	}
	if data, err = io.ReadAll(body); err != nil {
		return "", nil, broken(err)
	}
	if len(data) == 0 {
		return "", nil, errNoFile.New()
	}
	drain(r)
	return name, data, nil
}

func (s *server) judgedCertificates(ctx context.Context, name string, data []byte, at time.Time, lang string) (report *verify.CertificatesReport, err error) {
	err = s.judging(ctx, func(ctx context.Context) (err error) {
		o := s.Verify
		o.At, o.Language = s.Clock(), lang
		report, err = verify.Certificates(ctx, displayName(name), data, at, o)
		return err
	})
	return report, err
}

// certificatesIn judges the certificates that were given to the page in place of a PDF; nil when the file is not of that
// kind. The form may say at what time, in the time of China.
func (s *server) certificatesIn(r *http.Request, f scratch, lang string) (*verify.CertificatesReport, error) {
	head, err := f.head(1024)
	if err != nil {
		return nil, err
	}
	if !verify.LooksLikeCertificates(f.name, head) {
		return nil, nil
	}
	if f.size > verify.MaxCertificateFile {
		return nil, tooLarge(verify.MaxCertificateFile)
	}
	data, err := f.head(f.size)
	if err != nil {
		return nil, err
	}
	var at time.Time
	if text := r.PostForm.Get("at"); text != "" {
		if at, err = time.ParseInLocation(web.MinuteField, text, civil.China); err != nil {
			return nil, errInvalid.At(fault.Field("at"))
		}
	}
	return s.judgedCertificates(r.Context(), f.name, data, at, lang)
}
