// Package webhook tells programs of what happened: signed HTTP calls to addresses that their owners gave, tried again until
// they arrive.
//
// Add, List, Remove, Resume and Ping are for the owner of an endpoint; Emit is for the rooms, in the transaction of what
// happened: a delivery exists if and only if that was committed. Deliveries and Redeliver show and repeat what was sent.
//
// # A call
//
// POST with a JSON body {"id", "kind", "time", "subject", "data"} and the header fields
//
//	Yinxin-Delivery   identifier, the same whenever this delivery is tried again
//	Yinxin-Timestamp  seconds since 1970 at which this try was sent
//	Yinxin-Signature  v1= and HMAC-SM3 in hex, under the endpoint's secret, of delivery.timestamp.body
//
// Check does what a receiver does: it refuses a wrong signature and a time more than five minutes off; a receiver keeps the
// identifiers of ten minutes and so acts on none twice. An answer of 200 to 299 within ten seconds is an arrival, 410 removes the
// endpoint, anything else, a redirect included, is tried again: twelve times within about six hours. After twenty deliveries
// in a row that did not arrive the endpoint is suspended until its owner resumes it.
//
// Bodies hold identifiers and states, no secrets and no personal data: who wants more asks the API.
package webhook
