package store_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/pgtest"
	"github.com/weirhq/weir/internal/store"
)

// Every test of this package that speaks to a database runs on both stores.

// noon is when the tests begin.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// conformance lists what every store must do. Its tests run one after the
// other on one database, emptied before each.
func conformance() []conformanceTest {
	return []conformanceTest{
		{"AccountingCoversEveryState", testAccountingCoversEveryState},
		{"AccountingSeesALoss", testAccountingSeesALoss},
		{"StepsFollowTheTable", testStepsFollowTheTable},
		{"BlobOfTheNewestEpochWins", testBlobOfTheNewestEpochWins},
		{"BlobNamesKeepsWhatLettersReferTo", testBlobNamesKeepsWhatLettersReferTo},
		{"NextReadyIsTheMostUrgent", testNextReadyIsTheMostUrgent},
		{"BatchmatesShareRequestShapeAndPhase", testBatchmatesShareRequestShapeAndPhase},
		{"SharersOnlyRead", testSharersOnlyRead},
		{"ClaimLeavesOutWhatMoved", testClaimLeavesOutWhatMoved},
		{"ClaimsNeverOverlap", testClaimsNeverOverlap},
		{"Orphans", testOrphans},
		{"DecisionChainBeginsAtASnapshot", testDecisionChainBeginsAtASnapshot},
		{"DecisionsOfAStep", testDecisionsOfAStep},
		{"PolicyIsKeptOnce", testPolicyIsKeptOnce},
		{"FindingsMerge", testFindingsMerge},
		{"FindingsInPages", testFindingsInPages},
		{"SchemasAreReplaced", testSchemasAreReplaced},
		{"OneOpenIntentPerRecord", testOneOpenIntentPerRecord},
		{"IntentsRace", testIntentsRace},
		{"KeyIsShreddedForGood", testKeyIsShreddedForGood},
		{"RequestsToShred", testRequestsToShred},
		{"KEKsFollowEachOther", testKEKsFollowEachOther},
		{"SwapKeysComparesFirst", testSwapKeysComparesFirst},
		{"DestroyWaitsForSubmissions", testDestroyWaitsForSubmissions},
		{"EntryRoundTrip", testEntryRoundTrip},
		{"ManyEntriesKeepTheirOrder", testManyEntriesKeepTheirOrder},
		{"DetailsComeBack", testDetailsComeBack},
		{"Strays", testStrays},
		{"NumberingTheLedger", testNumberingTheLedger},
		{"HashesOfATree", testHashesOfATree},
		{"OneSequencer", testOneSequencer},
		{"Checkpoints", testCheckpoints},
		{"LetterOpensAgain", testLetterOpensAgain},
		{"ManyDieAtOnce", testManyDieAtOnce},
		{"LettersInTheOrderOfRisk", testLettersInTheOrderOfRisk},
		{"LetterKeepsItsHistory", testLetterKeepsItsHistory},
		{"NodesBeat", testNodesBeat},
		{"Settings", testSettings},
		{"Workload", testWorkload},
		{"WorkloadsAreOfOpenRequests", testWorkloadsAreOfOpenRequests},
		{"HoldObject", testHoldObject},
		{"AskerTakesTurns", testAskerTakesTurns},
		{"ShedRequestsGoLast", testShedRequestsGoLast},
		{"UrgentRequestsGoFirst", testUrgentRequestsGoFirst},
		{"UrgentStepsPassAWait", testUrgentStepsPassAWait},
		{"LettersOfUrgentRequests", testLettersOfUrgentRequests},
		{"OrgState", testOrgState},
		{"WakeOrgKeepsTheEarlier", testWakeOrgKeepsTheEarlier},
		{"ShiftWaits", testShiftWaits},
		{"DueOrgs", testDueOrgs},
		{"EarliestDue", testEarliestDue},
		{"InFlightCountsBatches", testInFlightCountsBatches},
		{"Admissions", testAdmissions},
		{"PlanAndApprovals", testPlanAndApprovals},
		{"RequestRoundTrip", testRequestRoundTrip},
		{"MoveRequest", testMoveRequest},
		{"EditRequestKeepsTheStage", testEditRequestKeepsTheStage},
		{"ResumeRequest", testResumeRequest},
		{"RequestsFilter", testRequestsFilter},
		{"StepRoundTrip", testStepRoundTrip},
		{"StepsInShort", testStepsInShort},
		{"OthersUnderWay", testOthersUnderWay},
		{"AdvanceStep", testAdvanceStep},
		{"WritesGoTogether", testWritesGoTogether},
		{"AWaitNeedsAnEnd", testAWaitNeedsAnEnd},
		{"EditStepRenewsAClaim", testEditStepRenewsAClaim},
		{"ReleaseNextRank", testReleaseNextRank},
		{"ReleaseNextRankOfNothing", testReleaseNextRankOfNothing},
		{"CancelSteps", testCancelSteps},
		{"OneTransactionHasOneTime", testOneTransactionHasOneTime},
		{"UpdateCommitsOrLeavesNothing", testUpdateCommitsOrLeavesNothing},
		{"ViewCannotWrite", testViewCannotWrite},
		{"ViewSeesOneSnapshot", testViewSeesOneSnapshot},
		{"ContextEndsATransaction", testContextEndsATransaction},
		{"DeadlockIsRepeated", testDeadlockIsRepeated},
		{"Unavailable", testUnavailable},
		{"AMistakeIsNotUnavailable", testAMistakeIsNotUnavailable},
	}
}

type conformanceTest struct {
	name string
	run  func(*testing.T, *store.Store)
}

func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, c := range conformance() {
			t.Run(c.name, func(t *testing.T) {
				empty(t, s)
				c.run(t, s)
			})
		}
	})
}

// each runs the test on a migrated store of either kind.
func each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	pgtest.Each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

// empty removes every row, those that refer to others first.
func empty(t *testing.T, s *store.Store) {
	t.Helper()
	update(t, s, noon, func(tx *store.Tx) {
		for _, table := range []string{
			"checkpoint", "tree_hash", "entry", "letter_event", "letter", "decision_step", "decision", "policy",
			"intent", "step", "finding", "approval", "plan", "blob", "workload", "urgency", "request_key", "kek", "request", "object_schema",
			"admission", "org", "node", "setting",
		} {
			if _, err := tx.SQL().ExecContext(t.Context(), "DELETE FROM "+table); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tx.SQL().ExecContext(t.Context(), "UPDATE tally SET total = 0"); err != nil {
			t.Fatal(err)
		}
	})
}

func open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// failure carries an unexpected error out of a transaction.
type failure struct{ err error }

// ok ends the transaction and the test when there is an error.
func ok(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// need is ok for a result.
func need[T any](v T, err error) T {
	ok(err)
	return v
}

// found is ok for a result that has to be there.
func found[T any](v T, there bool, err error) T {
	ok(err)
	if !there {
		panic(failure{errors.New("nothing found")})
	}
	return v
}

// absent is ok for a result that must not be there.
func absent[T any](v T, there bool, err error) {
	ok(err)
	if there {
		panic(failure{errors.New("found something that should not exist")})
	}
}

type transaction func(ctx context.Context, now time.Time, fn func(*store.Tx) error) error

func run(t testing.TB, start transaction, at time.Time, fn func(tx *store.Tx)) {
	t.Helper()
	err := start(t.Context(), at, func(tx *store.Tx) (err error) {
		defer func() {
			switch p := recover().(type) {
			case nil:
			case failure:
				err = p.err
			default:
				panic(p)
			}
		}()
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func update(t testing.TB, s *store.Store, at time.Time, fn func(tx *store.Tx)) {
	t.Helper()
	run(t, s.Update, at, fn)
}

func view(t testing.TB, s *store.Store, at time.Time, fn func(tx *store.Tx)) {
	t.Helper()
	run(t, s.View, at, fn)
}

// refuse says that the error is not the expected one.
func refuse(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

// same compares what was read with what was written.
func same(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// read runs a query of the test's own and lets row scan each row.
func read(t *testing.T, s *store.Store, query string, row func(scan func(dest ...any))) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}()
	for rows.Next() {
		row(func(dest ...any) {
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// request is a request that is valid in every field.
func request(id weir.RequestID, org weir.OrgID) weir.Request {
	return weir.Request{
		ID: id, Org: org, Right: weir.Erasure, Law: "gdpr", Risk: weir.RiskNormal, Stage: weir.Received, Version: 1,
		Subject: "s:0123456789ab", Ref: "T-1", SubmittedBy: "ann",
		ReceivedAt: noon.Add(-time.Hour), DueAt: noon.AddDate(0, 1, 0), CreatedAt: noon, Pass: weir.PassPlan,
	}
}

// step is a step that is valid in every field.
func step(id weir.StepID, of weir.Request, state weir.StepState) weir.Step {
	return weir.Step{
		ID: id, Request: of.ID, Org: of.Org, Kind: weir.StepErase, Phase: weir.PhaseCheck, State: state, Epoch: 3,
		Shape: "erase Contact", Object: "Contact", Record: "003000000000001AAA", Rank: 2, Args: []byte(`{"a":1}`),
		DueAt: of.DueAt,
	}
}

// seed writes an org and a request to hang other rows on.
func seed(tx *store.Tx, id weir.RequestID, org weir.OrgID) weir.Request {
	r := request(id, org)
	ok(tx.EnsureOrg(org))
	ok(tx.InsertRequest(r, "index of "+string(id)))
	return r
}

// TestEveryMethodIsTested fails when a method of Tx has no test (the tests call
// it on a variable tx), or when a test is missing from the list above.
func TestEveryMethodIsTested(t *testing.T) {
	called, tests := map[string]bool{}, 0
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(n.Name.Name, "test") {
					tests++
				}
			case *ast.CallExpr:
				if method, is := n.Fun.(*ast.SelectorExpr); is && calledOn(method, "tx") {
					called[method.Sel.Name] = true
				}
			}
			return true
		})
	}
	for method := range reflect.TypeFor[*store.Tx]().Methods() {
		if !called[method.Name] {
			t.Errorf("no test calls Tx.%s", method.Name)
		}
	}
	if listed := len(conformance()); tests != listed {
		t.Errorf("there are %d conformance tests, and %d are listed", tests, listed)
	}
}

func calledOn(method *ast.SelectorExpr, name string) bool {
	on, is := method.X.(*ast.Ident)
	return is && on.Name == name
}
