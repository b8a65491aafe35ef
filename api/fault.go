package api

import (
	"encoding/json"
	"io"
	"net/http"

	"yinxin/internal/fault"
)

// FaultOf reads the body of an answer that says no: the server's own code and sentences, with the kind that its status says.
// False: it is no problem document of ours.
func FaultOf(status int, body io.Reader) (*fault.Fault, bool) {
	var p Problem
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(&p); err != nil || p.Code == "" {
		return nil, false
	}
	return fault.Spec{Kind: kindOf(status), Code: p.Code, ZH: p.Message, EN: p.MessageEN}.New(), true // the place is in the sentences
}

// kindOf is the inverse of statusOf, as far as there is one.
func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusUnprocessableEntity:
		return fault.Refused
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Denied
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusBadRequest:
		return fault.Invalid
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	}
	return fault.Unavailable
}
