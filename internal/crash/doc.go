// Package crash names the moments around every durable write at which a proof
// kills weir: right before the write and right after it.
//
// The invariant it protects: the list is closed and complete. A transaction of
// the engine has no way around naming its kind, a test of this package finds
// each name in the source, and `make prove-crash` dies at every one.
//
// In the program that is shipped a point is an empty function, which the
// compiler removes. With the build tag crashpoints the process ends itself by
// SIGKILL at the point that the environment names; see killer.go. Start reading
// at point.go.
package crash
