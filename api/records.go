package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/sealer"
	"yinxin/sealer/register"
)

// SealStatus answers 印章状态信息查询.
type SealStatus struct {
	Seal  string    `json:"seal"`
	At    time.Time `json:"at"`
	State string    `json:"state" enum:"making,active,suspended,collected,cancelled"`
	Label string    `json:"label" doc:"In Chinese." example:"已启用"`
	Since time.Time `json:"since,omitzero" doc:"Since when; absent while it is being made."`
	// Reason is one of two codes: what else people wrote is for officers.
	Reason string `json:"reason,omitempty" doc:"The code of the reason, where it comes from the certificates."`
}

var sealLabels = map[register.State]string{register.Making: "制作中", register.Active: "已启用", register.Suspended: "已停用",
	register.Collected: "已收缴", register.Cancelled: "已注销"}

// SealingRecord is a sealing as it is on record, whatever became of it.
type SealingRecord struct {
	ID       string    `json:"id"`
	Seal     string    `json:"seal"`
	Original string    `json:"original" doc:"Identifier of the document that was to be sealed."`
	State    string    `json:"state" enum:"intended,released,failed,abandoned"`
	Failure  string    `json:"failure,omitempty" doc:"The code, when it led to nothing."`
	Document string    `json:"document,omitempty" doc:"Identifier of the sealed document."`
	Time     time.Time `json:"time" doc:"The signing time in the signature."`
	Intended time.Time `json:"intended"`
	Finished time.Time `json:"finished,omitzero"`
}

// LedgerEntry is an entry of the ledger.
type LedgerEntry struct {
	Position int64           `json:"position" doc:"From 0."`
	ID       string          `json:"id"`
	Leaf     string          `json:"leaf" doc:"The bytes that the leaf hash covers, SM3(0x00 ‖ leaf), in base64."`
	Event    json.RawMessage `json:"event" doc:"The same as JSON: id, time, kind, actor, subject, data."`
}

// LedgerProof proves that an entry is in the ledger.
type LedgerProof struct {
	Entry      LedgerEntry `json:"entry"`
	Hashes     [][]byte    `json:"hashes" doc:"Audit path of RFC 6962 section 2.1.1 with SM3, from the leaf up, each in base64."`
	Checkpoint string      `json:"checkpoint" doc:"The signed checkpoint that the path leads to: its text is described in docs/formats.md."`
}

func entryOf(e ledger.Entry) LedgerEntry {
	return LedgerEntry{Position: e.Position, ID: e.ID, Leaf: base64.StdEncoding.EncodeToString(e.Leaf), Event: json.RawMessage(e.Leaf)}
}

// statusReaders are all who use seals or watch over them.
func statusReaders() caller {
	return anyOf(access.RolePlatform, access.RoleOperator, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor, access.RoleAdministrator)
}

func recordReaders() caller {
	return anyOf(access.RolePlatform, access.RoleOperator, access.RoleAuditor)
}

// proofsAtOnce is how many entries of one thing are proved in one answer: a sealing has two or three.
const proofsAtOnce = 20

// records tell what was done: the state of a seal, a sealing, and their entries in the ledger.
func (s *server) records() {
	type status struct {
		Code string    `path:"code" pattern:"^[0-9]{14}$" doc:"Code of the seal: 14 digits."`
		At   time.Time `query:"at" doc:"The time that is asked for; now, if it is left out."`
	}
	type statusOutput struct{ Body SealStatus }
	operate(s, huma.Operation{OperationID: "seal-status", Method: http.MethodGet, Path: "/v1/seals/{code}/status", Tags: []string{"sealing"},
		Summary: "The state of a seal at a time", Description: "印章状态信息查询. A time in the future is answered with what is known now.", Responses: s.reading()},
		statusReaders(), func(ctx context.Context, in *status) (*statusOutput, error) {
			at := in.At
			if at.IsZero() {
				at = s.Clock()
			}
			state, err := s.Register.StateAt(ctx, in.Code, at)
			if err != nil {
				return nil, err
			}
			out := SealStatus{Seal: in.Code, At: at.UTC(), State: string(state.State), Label: sealLabels[state.State]}
			if !state.Since.IsZero() {
				out.Since = state.Since.UTC()
			}
			if state.Reason == register.ReasonRevoked || state.Reason == register.ReasonHeld {
				out.Reason = state.Reason
			}
			return &statusOutput{out}, nil
		})
	type sealing struct{ Body SealingRecord }
	operate(s, huma.Operation{OperationID: "sealing", Method: http.MethodGet, Path: "/v1/sealings/{id}", Tags: []string{"sealing"},
		Summary: "What became of a sealing", Description: "Of one's own; to an auditor of all.", Responses: s.reading()},
		recordReaders(), func(ctx context.Context, in *Named) (*sealing, error) {
			r, err := s.Sealer.Recorded(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &sealing{recordOf(r)}, nil
		})
	type proofs struct {
		Body struct {
			Proofs []LedgerProof `json:"proofs"`
		}
	}
	operate(s, huma.Operation{OperationID: "sealing-proofs", Method: http.MethodGet, Path: "/v1/sealings/{id}/proofs", Tags: []string{"sealing"},
		Summary:     "Prove that a sealing is in the ledger",
		Description: "Its entries with their inclusion proofs: intent and result. An entry has its place within a second; until then 503 ledger.pending.", Responses: s.answers(401, 403, 404, 422, 503)},
		recordReaders(), func(ctx context.Context, in *Named) (*proofs, error) {
			if _, err := s.Sealer.Recorded(ctx, actorOf(ctx), in.ID); err != nil {
				return nil, err
			}
			out := &proofs{}
			list, err := s.proofsOf(ctx, in.ID)
			out.Body.Proofs = list
			return out, err
		})
	s.ledger()
}

func recordOf(r sealer.Recorded) SealingRecord {
	out := SealingRecord{ID: r.ID, Seal: r.Seal, Original: r.Document, State: r.State, Failure: r.Failure, Document: r.Result, Time: r.Time.UTC(), Intended: r.Intended.UTC()}
	if !r.Finished.IsZero() {
		out.Finished = r.Finished.UTC()
	}
	return out
}

func (s *server) proofsOf(ctx context.Context, subject string) ([]LedgerProof, error) {
	proofs, err := s.Ledger.Proofs(ctx, subject, proofsAtOnce)
	if err != nil {
		return nil, err
	}
	list := make([]LedgerProof, 0, len(proofs))
	for _, p := range proofs {
		list = append(list, LedgerProof{Entry: entryOf(p.Entry), Hashes: p.Hashes, Checkpoint: p.Checkpoint.Note})
	}
	return list, nil
}

// ledger is what an auditor reads, and the checkpoint that anyone may keep.
func (s *server) ledger() {
	s.stream(huma.Operation{OperationID: "ledger-checkpoint", Method: http.MethodGet, Path: "/v1/ledger/checkpoint", Tags: []string{"ledger"},
		Summary: "The newest signed checkpoint", Description: "To be kept elsewhere: whoever has it sees when the ledger is changed or cut later.",
		Responses: with(s.answers(404), http.StatusOK, &huma.Response{Description: "A signed note", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}})},
		anyone(), func(w http.ResponseWriter, r *http.Request) {
			c, err := s.Ledger.Checkpoint(r.Context())
			if err != nil {
				s.fail(w, r, err)
				return
			}
			s.give(w, r, "text/plain; charset=utf-8", []byte(c.Note))
		})
	type span struct {
		From int64 `query:"from" minimum:"0" doc:"Entries of the ledger that was kept."`
		To   int64 `query:"to" minimum:"1" doc:"Entries of the newer one."`
	}
	type consistency struct {
		Body struct {
			Hashes [][]byte `json:"hashes" doc:"RFC 6962 section 2.1.2 with SM3, each in base64."`
		}
	}
	operate(s, huma.Operation{OperationID: "ledger-consistency", Method: http.MethodGet, Path: "/v1/ledger/consistency", Tags: []string{"ledger"},
		Summary: "Prove that one ledger is the beginning of another", Responses: s.answers(400, 404)},
		recordReaders(), func(ctx context.Context, in *span) (*consistency, error) {
			if in.From > in.To {
				return nil, errInvalid.Saying("from 不能大于 to", "from is not greater than to")
			}
			out := &consistency{}
			var err error
			out.Body.Hashes, err = s.Ledger.Consistency(ctx, in.From, in.To)
			return out, err
		})
	type pieces struct {
		From  int64 `query:"from" minimum:"0" doc:"Position of the first."`
		Limit int64 `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many."`
	}
	type listed struct {
		Body struct {
			Entries []LedgerEntry `json:"entries"`
		}
	}
	operate(s, huma.Operation{OperationID: "ledger-entries", Method: http.MethodGet, Path: "/v1/ledger/entries", Tags: []string{"ledger"},
		Summary: "Read the ledger", Description: "In the order of the tree.", Responses: s.reading()},
		anyOf(access.RoleAuditor), func(ctx context.Context, in *pieces) (*listed, error) {
			out := &listed{}
			out.Body.Entries = []LedgerEntry{}
			err := s.Ledger.Entries(ctx, in.From, in.From+in.Limit, func(e ledger.Entry) error {
				out.Body.Entries = append(out.Body.Entries, entryOf(e))
				return nil
			})
			return out, err
		})
}
