package api

import (
	"strings"
	"testing"
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
	w.call("platform", "GET", "/v1/documents?sm3="+strings.Repeat("0", 64), nil).problem(404, "document.not-found")
}
