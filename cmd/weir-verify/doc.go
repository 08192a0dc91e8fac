// Command weir-verify checks what weir's ledger says, for an auditor who does
// not want to trust weir. It needs no store and no network, and it imports
// nothing of weir: what it knows is the format, and nothing is shared that
// could be wrong twice. It is meant to be read in one sitting.
//
//	weir-verify --key KEY --checkpoint FILE [--checkpoint FILE]… LOG
//	weir-verify --key KEY --certificate FILE [--certificate FILE]… [LOG]
//
// LOG is what `weir audit export` wrote, one JSON object a line. KEY is the
// public key that `weir init` printed, or a file that holds it; have it from
// elsewhere than the log. A checkpoint is what `weir audit checkpoint` wrote,
// at best long ago and kept by yourself.
//
// The format: line n of the log is leaf n-1 of an RFC 6962 Merkle tree, hashed
// byte for byte without its newline, and its member "seq" is n. A checkpoint is
// a C2SP signed note of three lines: origin, number of lines, root. A certificate
// is {"certificate":C,"signature":S}, where S is the signature line of a note
// whose text is C and a newline; C quotes log lines with their inclusion proofs.
//
// It ends with 0 when everything agrees, 8 when something was altered, 2 for
// wrong usage and 1 when a file cannot be read. Start reading at main.go.
package main
