// Package emulator is a Salesforce org that throttles, lies and forgets like a
// real one: OAuth, describe, SOQL, rows with their conditional headers,
// collections, composite, the one SOAP call that empties the recycle bin, the
// rolling daily allocation, a hidden burst limit, and every fault that a client
// must survive. It serves the same org over a socket ([Org.Handler]) and without
// one ([Org.Transport]), the second inside a testing/synctest bubble too.
//
// The invariants it protects:
//
//   - A call that was refused has changed nothing. Every refusal is made before
//     the first write, and a write becomes visible, and is noted in [Truth], in
//     the same critical section as the answer that admits it.
//   - The same seed and the same order of calls give the same org, the same
//     faults and the same answers. All state is behind one mutex; time and
//     chance come from [Options].
//   - It imports nothing of the product that it tests, so that a shared
//     misunderstanding cannot hide.
//
// What is modelled, and what is only assumed of the real platform, is said
// where it is done. Not modelled: Bulk API, SOSL, nested subqueries, grouping,
// references between subrequests of a composite, sharing rules.
//
// Start reading at serve.go (the life of one call), then route.go, rows.go and
// write.go. Misbehaviour is in fault.go and profile.go; what really happened is
// in truth.go.
package emulator
