package api

import (
	"strings"
	"testing"

	"yinxin/internal/access"
)

func TestADocumentIsFoundByItsContentByItsOwnerAlone(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	var found Document
	w.call("platform", "GET", "/v1/documents?sm3="+d.SM3, nil).is(200).into(&found)
	if found != d {
		t.Errorf("found %+v, uploaded %+v", found, d)
	}
	w.call("clerk", "GET", "/v1/documents?sm3="+d.SM3, nil).problem(404, "document.not-found")
	// A colleague may read it by its identifier, and does not find it.
	colleague := access.Actor{ID: "colleague", Organisation: "省局"}
	if _, err := w.sealer.Document(t.Context(), colleague, d.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.sealer.DocumentOf(t.Context(), colleague, d.SM3); codeOf(err) != "document.not-found" {
		t.Error(err)
	}
	w.call("platform", "GET", "/v1/documents?sm3="+strings.Repeat("0", 64), nil).problem(404, "document.not-found")
}
