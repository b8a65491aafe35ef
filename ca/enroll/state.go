package enroll

import "slices"

// State is where an application stands.
type State string

// The states, in the order in which an application passes through them; the last four end it.
const (
	StateDraft     State = "draft"
	StateSubmitted State = "submitted"
	StateGathered  State = "gathered"          // by the city bureau
	StateReceived  State = "received"          // by the province
	StateOriginal  State = "original-received" // the paper is here
	StateReturned  State = "returned"          // to the unit, with reasons
	StateExamined  State = "examined"          // in order; waits for the second person
	StateApproved  State = "approved"          // is being carried out
	StateIssued    State = "issued"            // waits for the holder
	StateAccepted  State = "accepted"
	StateObjected  State = "objected"
	StateClosed    State = "closed"
	StateWithdrawn State = "withdrawn"
	StateRejected  State = "rejected"
	StateExpired   State = "expired"
)

var stateWords = map[State]string{
	StateDraft: "草稿", StateSubmitted: "已提交", StateGathered: "市级已汇总", StateReceived: "省级已接收", StateOriginal: "原件已收到",
	StateReturned: "已退回", StateExamined: "已审核，待审批", StateApproved: "已批准", StateIssued: "已签发，待接受", StateAccepted: "已接受",
	StateObjected: "有异议", StateClosed: "已办结", StateWithdrawn: "已撤回", StateRejected: "不予批准", StateExpired: "已失效",
}

// Label is the state in words.
func (s State) Label() string { return stateWords[s] }

// Ended reports whether nothing more happens to an application in the state.
func (s State) Ended() bool {
	return s == StateClosed || s == StateWithdrawn || s == StateRejected || s == StateExpired
}

// Carried reports whether an approval stands behind the state.
func (s State) Carried() bool {
	switch s {
	case StateApproved, StateIssued, StateAccepted, StateObjected, StateClosed:
		return true
	}
	return false
}

// Step is something that somebody does to an application.
type Step string

// The steps.
const (
	StepCreate   Step = "create"
	StepEdit     Step = "edit"    // fields, agreement, attachments, roster
	StepSubmit   Step = "submit"  // by the unit
	StepRecall   Step = "recall"  // by the unit, back to a draft
	StepGather   Step = "gather"  // into a batch
	StepRelease  Step = "release" // out of a batch
	StepReceive  Step = "receive"
	StepOriginal Step = "original"
	StepInk      Step = "ink"     // wet ink confirmed
	StepConfirm  Step = "confirm" // a finding
	StepReturn   Step = "return"
	StepExamine  Step = "examine"
	StepApprove  Step = "approve"
	StepReject   Step = "reject"
	StepLapse    Step = "lapse" // a request or an approval ran out
	StepIssue    Step = "issue"
	StepAbort    Step = "abort" // what was begun cannot be finished
	StepAccept   Step = "accept"
	StepSilence  Step = "silence" // the term for objections ran out
	StepObject   Step = "object"
	StepSettle   Step = "settle" // an objection was answered
	StepClose    Step = "close"
	StepWithdraw Step = "withdraw"
	StepExpire   Step = "expire"
	StepUnmask   Step = "unmask" // personal data was shown
	StepPrint    Step = "print"  // the form was drawn, with personal data
	StepView     Step = "view"   // a scan was shown
)

// party is in which capacity somebody acts on an application.
type party string

const (
	partyUnit      party = "unit"      // the handler of the applying unit
	partyCity      party = "city"      // the bureau of its area
	partyRegistrar party = "registrar" // of the registration authority
	partyApprover  party = "approver"
	partyService   party = "service" // the passing of time
)

// rule says from which states a step leads where, and who may take it. An empty to means that the step itself says
// where, or that the state stays.
type rule struct {
	from []State
	to   State
	who  []party
}

// rules is the whole of the state machine.
var rules = map[Step]rule{
	StepEdit: {from: []State{StateDraft, StateReturned, StateReceived, StateOriginal, StateExamined, StateApproved},
		who: []party{partyUnit, partyRegistrar}},
	StepSubmit:   {from: []State{StateDraft, StateReturned}, to: StateSubmitted, who: []party{partyUnit, partyRegistrar}},
	StepRecall:   {from: []State{StateSubmitted}, to: StateDraft, who: []party{partyUnit, partyRegistrar}},
	StepGather:   {from: []State{StateSubmitted}, to: StateGathered, who: []party{partyCity, partyRegistrar}},
	StepRelease:  {from: []State{StateGathered}, to: StateSubmitted, who: []party{partyCity, partyRegistrar}},
	StepReceive:  {from: []State{StateSubmitted, StateGathered}, to: StateReceived, who: []party{partyRegistrar}},
	StepOriginal: {from: []State{StateReceived}, to: StateOriginal, who: []party{partyRegistrar}},
	StepInk:      {from: []State{StateOriginal}, who: []party{partyRegistrar}},
	StepConfirm:  {from: []State{StateReceived, StateOriginal}, who: []party{partyRegistrar}},
	StepReturn: {from: []State{StateSubmitted, StateGathered, StateReceived, StateOriginal, StateExamined}, to: StateReturned,
		who: []party{partyCity, partyRegistrar, partyApprover}},
	StepExamine: {from: []State{StateOriginal}, to: StateExamined, who: []party{partyRegistrar}},
	StepApprove: {from: []State{StateExamined}, to: StateApproved, who: []party{partyApprover}},
	StepReject: {from: []State{StateReceived, StateOriginal, StateExamined}, to: StateRejected,
		who: []party{partyRegistrar, partyApprover}},
	StepLapse:   {from: []State{StateExamined, StateApproved}, to: StateOriginal, who: []party{partyService}},
	StepIssue:   {from: []State{StateApproved}, to: StateIssued, who: []party{partyRegistrar, partyService}},
	StepAbort:   {from: []State{StateApproved}, to: StateObjected, who: []party{partyRegistrar}},
	StepAccept:  {from: []State{StateIssued}, to: StateAccepted, who: []party{partyUnit, partyRegistrar}},
	StepSilence: {from: []State{StateIssued}, to: StateAccepted, who: []party{partyService}},
	StepObject:  {from: []State{StateIssued}, to: StateObjected, who: []party{partyUnit, partyRegistrar}},
	StepSettle:  {from: []State{StateObjected}, to: StateAccepted, who: []party{partyUnit}},
	StepClose:   {from: []State{StateAccepted, StateObjected}, to: StateClosed, who: []party{partyRegistrar}},
	StepWithdraw: {from: []State{StateDraft, StateSubmitted, StateGathered, StateReceived, StateOriginal, StateReturned, StateExamined, StateApproved},
		to: StateWithdrawn, who: []party{partyUnit, partyRegistrar}},
	StepExpire: {from: []State{StateDraft, StateReturned}, to: StateExpired, who: []party{partyService}},
	StepUnmask: {from: everyState, who: []party{partyRegistrar, partyApprover}},
	StepPrint:  {from: everyState, who: []party{partyUnit, partyRegistrar}},
	StepView:   {from: everyState, who: []party{partyUnit, partyRegistrar, partyApprover}},
}

var everyState = []State{StateDraft, StateSubmitted, StateGathered, StateReceived, StateOriginal, StateReturned, StateExamined, StateApproved,
	StateIssued, StateAccepted, StateObjected, StateClosed, StateWithdrawn, StateRejected, StateExpired}

// allows finds out in which capacity one of these parties may take the step from a state: none, enroll.denied; none
// from this state, enroll.state.
func (r rule) allows(step Step, from State, parties []party) error {
	if !slices.ContainsFunc(parties, func(p party) bool { return slices.Contains(r.who, p) }) {
		return ErrDenied.With("%s", step)
	}
	if !slices.Contains(r.from, from) || !reaches(parties, step, from) {
		return ErrState.Saying(from.Label(), string(from))
	}
	return nil
}

// reaches narrows the table where it depends on the party: a unit edits only what is in its hands, a city bureau returns
// only what it has not handed in, an approver only what waits for a decision.
func reaches(parties []party, step Step, from State) bool {
	has := func(p party) bool { return slices.Contains(parties, p) }
	inOffice := from != StateDraft && from != StateSubmitted && from != StateGathered
	switch step {
	case StepEdit:
		return has(partyRegistrar) || from == StateDraft || from == StateReturned
	case StepReturn:
		return has(partyRegistrar) || has(partyCity) && !inOffice || has(partyApprover) && from == StateExamined
	case StepReject:
		return from == StateExamined && has(partyApprover) || from != StateExamined && has(partyRegistrar)
	case StepWithdraw, StepObject, StepAccept:
		return has(partyUnit) || has(partyRegistrar)
	}
	return true
}
