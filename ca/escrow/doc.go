// Package escrow is the key centre (密钥管理中心): it makes the encryption key pairs of USB Key users, keeps a copy of each
// private key that nobody can open alone, and hands the key to its holder once.
//
// Establish makes the recovery key, once; its shares go to officers, who show with Activate that they have them. Then,
// for a person whose signing certificate stands:
//
//	pair, err := centre.Make(ctx, escrow.Holder{ID: user, Signing: signing})
//	defer pair.Close()
//	request.Profile, request.Public = ca.ProfileEncryption, pair.Public()
//	certificate, err := authority.Issue(ctx, approvalID, request, pair)
//	answer, err := centre.Deliver(ctx, actor, pair.ID(), signingKey) // GM/T 0092
//	err = centre.Confirm(ctx, actor, pair.ID())                      // the holder has it
//
// Recovery is for data of somebody who lost the key or left: two people approve the Subject of a Recovery, Start opens a
// session, officers Present their shares, Finish gives the key in an envelope to the recipient. A Change of the recovery
// key goes the same way, and Activate ends it.
//
// # How keys are kept
//
// A private key is sealed with SM4-GCM under a key of its own, which is encrypted with SM2 to the recovery key; key id,
// holder, serial number of the certificate, public key and generation of the recovery key are bound to it. The service
// knows the public half of the recovery key only: it can put keys in and take none out. The private half is stored under
// SM4-GCM with a key that m of n shares give (Shamir, package keystore); it is whole only in the memory of the process
// that finishes a session, and is overwritten then. Each share is checked against commitments, so that a wrong one is
// known by its officer.
//
// The envelope for the holder (package envelope) opens with the holder's signing key only. It is kept until the holder
// confirms, so that an answer that was lost on its way can be handed out again, to the same key.
//
// # Promises
//
// The key pair, its certificate and its escrow are recorded in one transaction: no encryption certificate without a
// sealed key, no sealed key without a certificate. An intent whose issuance died is voided by Recover; nothing of it
// was released. Behind each recovery, change of the recovery key and destruction stand a requester and a different
// approver; one approval opens one session, one session ends once. A session lives for minutes, holds shares in memory
// only, ends after five refused shares, and can be opened anew twice. Keys of revoked and expired certificates stay;
// Destroy takes an approval and a term after the end of the last certificate for the key. Another recovery key or split takes effect when the
// new shares were shown to open it. Everything is in the ledger, without names.
//
// What it does not promise: protection from who can read the memory of the process during a session, and from older
// copies of the database, free pages of its file included, in which old shares keep opening old splits: where shares
// were lost to somebody, ActRotate is the answer, not ActResplit.
// Keys are not made ahead: making one takes some ten microseconds, and a stock of them would have to be kept where the
// service can open it.
//
// Standards: GM/T 0034 (key centre), GB/T 35276 and GM/T 0009 (envelope), GM/T 0092 (answer).
package escrow
