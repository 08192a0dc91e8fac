// Command weir fulfils data subject requests in throttled Salesforce orgs.
//
// There is one file per verb. A verb reads its flags, asks one operation of
// internal/web's table, and shows the answer; there are no rules here. The
// invariant it protects: a verb behaves the same whether it asks the weir that
// runs, through its unix socket, or opens the store in its own process.
//
// What scripts rely on: with --json standard output holds exactly one document
// (JSON Lines for watch), errors go to standard error, and exit codes are
// those of docs/exit-codes.md.
//
// Start reading at main.go, then desk.go (who answers a verb) and status.go (a
// plain verb); serve.go is the program that keeps running.
package main
