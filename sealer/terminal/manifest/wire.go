package manifest

import "time"

// The routes of a terminal, below the server's base address; {…} stands for an identifier, path-escaped. All but RoutePair carry an
// Authorization of Scheme. Bodies are JSON. Errors are problem details (RFC 9457) with the member "code".
const (
	// RoutePair: POST PairingRequest, answers PairingAnswer. Needs no account.
	RoutePair = "/v1/terminal/pair"
	// RouteSelf: GET answers Self; DELETE ends the pairing.
	RouteSelf = "/v1/terminal/self"
	// RouteTasks: GET answers Tasks. With ?wait=SECONDS (up to MaxWait) the answer waits for a task to be there.
	RouteTasks = "/v1/terminal/tasks"
	// RouteClaim: POST without a body takes the task or keeps it for ClaimLife, and answers Claim; terminal.claimed when another
	// terminal has it. DELETE gives it back.
	RouteClaim = "/v1/terminal/tasks/{task}/claim"
	// RoutePrepare: POST without a body answers Envelope; the task must be claimed. A repetition gives the waiting job again as long as its
	// manifest holds RenewBefore more, and prepares anew after that.
	RoutePrepare = "/v1/terminal/tasks/{task}/items/{item}/prepare"
	// RouteDecline: POST Decline, answers 204.
	RouteDecline = "/v1/terminal/tasks/{task}/items/{item}/decline"
	// RouteFile: GET answers the prepared file, application/pdf: the original plus the update with /Contents all zero.
	RouteFile = "/v1/terminal/jobs/{job}/file"
	// RouteComplete: POST Completion, answers Completed. A repetition of what was taken answers the same.
	RouteComplete = "/v1/terminal/jobs/{job}/complete"
)

const (
	// MaxWait is the longest that RouteTasks waits.
	MaxWait = 25 * time.Second
	// ClaimLife is how long a claim holds: claim again well before.
	ClaimLife = 2 * time.Minute
	// RenewBefore is how long a manifest must still hold for RoutePrepare to give it again.
	RenewBefore = time.Minute
	// MaxItems is how many items a task may have.
	MaxItems = 1000
)

// ReasonDeclined in Decline says that the clerk did not want to seal; the item is then declined. With any other code it is failed, and can be
// retried.
const ReasonDeclined = "agent.declined"

// ItemState is where an item of a task stands, each for itself.
type ItemState string

// The states of items. Queued and prepared ones are open; failed ones become queued again when the clerk or who made the
// task retries them.
const (
	ItemQueued   ItemState = "queued"
	ItemPrepared ItemState = "prepared" // a manifest was given, no signature came yet
	ItemSealed   ItemState = "sealed"
	ItemFailed   ItemState = "failed"
	ItemDeclined ItemState = "declined" // by the clerk, or because the task was cancelled or expired
)

// Open says whether an item still waits for the clerk.
func (s ItemState) Open() bool { return s == ItemQueued || s == ItemPrepared }

// Self is what the server knows of a terminal.
type Self struct {
	Terminal string    `json:"terminal"`
	Name     string    `json:"name"`
	Clerk    Person    `json:"clerk"`
	Key      string    `json:"key" doc:"Fingerprint of the server's key that signs manifests for this terminal: SM3 of 04‖x‖y, in hex."`
	Time     time.Time `json:"time" doc:"The server's time."`
}

// Tasks are the tasks of the clerk with open items, and the logins that wait for the clerk's USB Key, oldest first.
type Tasks struct {
	Tasks  []Task      `json:"tasks"`
	Logins []LoginTask `json:"logins,omitempty"`
	Agent  *Advice     `json:"agent,omitempty" doc:"There when the agent that asks is older than it should be. Everything goes on all the same."`
}

// Advice is for the person at a terminal.
type Advice struct {
	Minimum string `json:"minimum" doc:"The oldest version that the administrator of the service wants." example:"v1.2.0"`
}

// Task is a list of sealings for one clerk.
type Task struct {
	ID      string    `json:"id"`
	Origin  Origin    `json:"origin" doc:"Who asked."`
	Note    string    `json:"note,omitempty" doc:"What it is for, in the words of who asked."`
	Open    int       `json:"open" doc:"Items that wait to be sealed."`
	Total   int       `json:"total"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires" doc:"What is open then is declined."`
	Claimed bool      `json:"claimed" doc:"Whether another terminal has it now."`
}

// Claim is a claimed task with its open items in order.
type Claim struct {
	Task  Task      `json:"task"`
	Until time.Time `json:"until" doc:"When the claim ends."`
	Items []Item    `json:"items"`
}

// Item is one document of a task with the seal that is wanted on it. Document and Seal go into Expected.
type Item struct {
	ID       string    `json:"id"`
	Document Document  `json:"document"`
	Seal     string    `json:"seal" doc:"Code of the seal."`
	State    ItemState `json:"state" enum:"queued,prepared,sealed,failed,declined"`
}

// Decline says that the clerk does not seal an item, or that the terminal refuses to. Reason is a code of a fault.
type Decline struct {
	Reason string `json:"reason" minLength:"1" maxLength:"64" pattern:"^[a-z0-9.-]+$" doc:"Code of the reason." example:"agent.declined"`
}

// Completion brings the signature of a job.
type Completion struct {
	Job         string `json:"job" minLength:"1" maxLength:"64"`
	Nonce       []byte `json:"nonce" maxLength:"44" doc:"As the manifest has it."`
	Signature   []byte `json:"signature" maxLength:"200" doc:"SM2 signature over to_be_signed, in DER."`
	Certificate []byte `json:"certificate" maxLength:"16384" doc:"DER of the certificate of the key that signed."`
}

// Completed is the sealed document.
type Completed struct {
	Item     string   `json:"item"`
	Document Document `json:"document" doc:"The sealed document, a new one."`
}
