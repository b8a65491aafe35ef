package api

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca"
	"yinxin/ca/trustlist"
	"yinxin/ca/tsa"
)

const (
	// maxOCSP is the largest OCSP request in bytes: some hundred certificates.
	maxOCSP      = 16 << 10
	ocspRequest  = "application/ocsp-request"
	ocspResponse = "application/ocsp-response"

	mediaCRL         = "application/pkix-crl"
	mediaCertificate = "application/pkix-cert"
)

// pki serves what certificates point to, at the paths that the CA writes into them.
func (s *server) pki() {
	s.published(ca.PathRootCRL, "root-crl", "CRL of the root", s.rootCRL, mediaCRL)
	s.published(ca.PathRootCertificate, "root-certificate", "Certificate of the root", func(http.ResponseWriter, *http.Request) (string, []byte, error) {
		return mediaCertificate, s.Authority.Root().Raw, nil
	}, mediaCertificate)
	s.published(ca.PathIssuers+"{file}", "issuer-file", "Certificate of an issuing CA (issuing.cer), its complete CRL (issuing.crl) or the delta CRL to that (issuing-delta.crl); of another CA than the first with its name", s.ofIssuer, mediaCertificate, mediaCRL)
	s.published(ca.PathIssuers+"{issuer}/{list}", "issuer-crl-shard", "CRL of an issuing CA for the certificates that point there (n.crl), or delta CRL to it (n-delta.crl)", s.list, mediaCRL)

	s.published(ca.PathTrustList, "trust-list", "Trust list: CA certificates, CRLs and seals with their states, signed, for verifying offline", func(_ http.ResponseWriter, r *http.Request) (string, []byte, error) {
		signed, err := s.Authority.TrustList(r.Context(), s.Register.Published)
		return trustlist.Media, signed, err
	}, trustlist.Media)

	answer := func() map[string]*huma.Response {
		return with(s.answers(400, 413, 415, 429), http.StatusOK, &huma.Response{Description: "OCSPResponse in DER", Content: binary(ocspResponse)})
	}
	s.stream(huma.Operation{OperationID: "ocsp-post", Method: http.MethodPost, Path: ca.PathOCSP, Tags: []string{"pki"},
		Summary: "State of certificates (RFC 6960)", RequestBody: &huma.RequestBody{Required: true, Content: binary(ocspRequest)},
		Responses: answer()}, anyone(), s.limit(s.limits.ocsp, s.ocspPost))
	s.handle(http.MethodGet, ca.PathOCSP+"/*", anyone(), s.limit(s.limits.ocsp, s.ocspGet))
	s.huma.OpenAPI().AddOperation(&huma.Operation{OperationID: "ocsp-get", Method: http.MethodGet, Path: ca.PathOCSP + "/{request}", Tags: []string{"pki"},
		Summary:    "State of certificates (RFC 6960)",
		Parameters: []*huma.Param{parameter("path", "request", "OCSPRequest in DER, in base64, percent-encoded.", true)}, Responses: answer()})

	s.stream(huma.Operation{OperationID: "time-stamp", Method: http.MethodPost, Path: ca.PathTSA, Tags: []string{"pki"},
		Summary: "Time stamp (RFC 3161), with SM2 and SM3", Description: "Digests by SM3, SHA-256, SHA-384 and SHA-512 are stamped. A refusal is an answer with status 200 and a PKIFailureInfo.",
		RequestBody: &huma.RequestBody{Required: true, Content: binary(tsa.MediaRequest)},
		Responses:   with(s.answers(413, 415, 429), http.StatusOK, &huma.Response{Description: "TimeStampResp in DER", Content: binary(tsa.MediaResponse)})},
		anyone(), s.limit(s.limits.stamps, s.timeStamp))
}

// getter finds what is published and says of which media type it is; it may set header fields of the answer.
type getter func(w http.ResponseWriter, r *http.Request) (media string, der []byte, err error)

func (s *server) rootCRL(_ http.ResponseWriter, r *http.Request) (string, []byte, error) {
	der, err := s.Authority.RootCRL(r.Context())
	return mediaCRL, der, err
}

// ofIssuer finds the certificate or a list of an issuing CA.
func (s *server) ofIssuer(w http.ResponseWriter, r *http.Request) (string, []byte, error) {
	id, ok := ca.ParsePathIssuerCertificate(r.URL.Path)
	if !ok {
		return s.list(w, r)
	}
	for _, i := range s.Authority.Issuers() {
		if i.ID == id {
			return mediaCertificate, i.Certificate.Raw, nil
		}
	}
	return "", nil, ca.ErrNoIssuer.With("%s", id)
}

// list finds the revocation list or delta list of a path.
func (s *server) list(w http.ResponseWriter, r *http.Request) (string, []byte, error) {
	id, shard, delta, ok := ca.ParsePathShard(r.URL.Path)
	if !ok {
		return "", nil, errNoRoute.New()
	}
	p, err := s.Authority.List(r.Context(), id, shard, delta)
	if err != nil {
		return "", nil, err
	}
	w.Header().Set("Last-Modified", p.ThisUpdate.UTC().Format(http.TimeFormat))
	return mediaCRL, p.DER, nil
}

// maxAge is how long a cache may give what is published, in seconds. The service looks every ten seconds for changes
// (ca.PublishIfDue), so that whoever reads the lists through a cache has a revocation within a minute.
const maxAge = "30"

func (s *server) published(path, id, summary string, get getter, media ...string) {
	content := map[string]*huma.MediaType{}
	for _, m := range media {
		maps.Copy(content, binary(m))
	}
	op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"pki"}, Summary: summary, Parameters: []*huma.Param{tagParameter()},
		Responses: with(notModified(s.answers(404, 429, 503)), http.StatusOK, &huma.Response{Description: "DER", Content: content})}
	for _, p := range [][2]string{{"file", "id.cer, id.crl or id-delta.crl."}, {"issuer", "id of an issuing CA."}, {"list", "n.crl or n-delta.crl, n from 1."}} {
		if strings.Contains(path, "{"+p[0]+"}") {
			op.Parameters = append(op.Parameters, parameter("path", p[0], p[1], true))
		}
	}
	s.stream(op, anyone(), s.limit(s.limits.list, func(w http.ResponseWriter, r *http.Request) {
		media, der, err := get(w, r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age="+maxAge)
		s.give(w, r, media, der)
	}))
}

func (s *server) ocspPost(w http.ResponseWriter, r *http.Request) {
	if request, ok := s.derBody(w, r, ocspRequest, maxOCSP); ok {
		s.ocsp(w, r, s.Authority.OCSPAnswer(r.Context(), request))
	}
}

// derBody reads a request in DER of a media type, and marks the answer as one that is not kept. When it says false the
// answer was given.
func (s *server) derBody(w http.ResponseWriter, r *http.Request, want string, max int64) ([]byte, bool) {
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(media), want) {
		s.fail(w, r, errMediaType.With("%s", want))
		return nil, false
	}
	request, err := io.ReadAll(&limited{r.Body, max, max})
	if err != nil {
		s.fail(w, r, broken(err))
		return nil, false
	}
	w.Header().Set("Cache-Control", "no-store")
	return request, true
}

// timeStamp answers over HTTP as RFC 3161 3.4 has it: also a refusal is an answer, with status 200.
func (s *server) timeStamp(w http.ResponseWriter, r *http.Request) {
	request, ok := s.derBody(w, r, tsa.MediaRequest, tsa.MaxRequest)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", tsa.MediaResponse)
	if _, err := w.Write(s.Authority.TimeStamp(r.Context(), request)); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}

// ocspGet takes the request from the path: base64, percent-encoded (RFC 6960 appendix A.1). Callers are not careful
// with the encoding: a slash and a plus may stand as they are, and the padding may be missing.
func (s *server) ocspGet(w http.ResponseWriter, r *http.Request) {
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), ca.PathOCSP+"/"))
	if len(text) > base64.StdEncoding.EncodedLen(maxOCSP) {
		s.fail(w, r, tooLarge(maxOCSP))
		return
	}
	var request []byte
	if err == nil {
		request, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.ReplaceAll(text, " ", "+"), "="))
	}
	if err != nil {
		request = nil // answered as malformed, in OCSP's own words
	}
	answer := s.Authority.OCSPAnswer(r.Context(), request)
	h := w.Header()
	if answer.ETag == "" {
		h.Set("Cache-Control", "no-store")
		s.ocsp(w, r, answer)
		return
	}
	// RFC 5019 6.2 lets caches keep an answer until its nextUpdate; then a revocation would be seen an hour late, and not
	// within the second that is promised. So a cache must ask every time (RFC 9111 5.2.2.2), and is told briefly that
	// nothing changed. If-Modified-Since is not looked at: two answers may be of one second.
	h.Set("Cache-Control", "public, max-age=0, must-revalidate, no-transform")
	h.Set("ETag", answer.ETag)
	h.Set("Last-Modified", answer.Produced.Format(http.TimeFormat))
	if matches(r.Header.Get("If-None-Match"), answer.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.ocsp(w, r, answer)
}

func (s *server) ocsp(w http.ResponseWriter, r *http.Request, answer ca.OCSPAnswer) {
	w.Header().Set("Content-Type", ocspResponse)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.DER)))
	if _, err := w.Write(answer.DER); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}
