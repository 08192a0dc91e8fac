package demo

import "github.com/weirhq/weir/emulator"

// faultText says in a few words what the org did.
func faultText(f emulator.Fault) string {
	switch f {
	case emulator.FaultBurstSeconds:
		return "429 with Retry-After in seconds"
	case emulator.FaultBurstDate:
		return "429 with Retry-After as a date"
	case emulator.FaultBurstBare:
		return "429 without Retry-After"
	case emulator.FaultDaily:
		return "403 REQUEST_LIMIT_EXCEEDED, the daily allocation"
	case emulator.FaultConcurrent:
		return "403 REQUEST_LIMIT_EXCEEDED, concurrent calls"
	case emulator.FaultAuth:
		return "401, the session is dead"
	case emulator.FaultLostRequest:
		return "the connection breaks before the call is read"
	case emulator.FaultHTML:
		return "503 with a page for people"
	case emulator.FaultPlatform:
		return "500 UNKNOWN_EXCEPTION"
	case emulator.FaultRowLock:
		return "UNABLE_TO_LOCK_ROW for one record of a batch"
	case emulator.FaultObject:
		return "whatever is asked of one object fails"
	case emulator.FaultLostAck:
		return "the write is carried out and its answer is lost"
	case emulator.FaultLateEffect:
		return "the connection breaks and the write lands later"
	case emulator.FaultChanged:
		return "somebody edits a record between our read and our write"
	case emulator.FaultSlow:
		return "a call runs for longer than 20 s"
	case emulator.FaultTruncated:
		return "an answer ends in the middle"
	}
	return string(f)
}
