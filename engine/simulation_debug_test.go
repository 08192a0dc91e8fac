package engine_test

import "time"

func (s *simulation) debugEarly() {}

func (s *simulation) debugAround(seq int, went []admission) {}

func (s *simulation) debugSpan(a, b int, from, to time.Time) {
	log := s.org.Log()
	for _, d := range log[a:b] {
		s.t.Logf("%d %s %s %s %d %s fault=%s used=%d", d.Seq, d.At.Format("01-02 15:04:05.000000"), d.Kind, d.Method, d.Status, d.Code, d.Fault, d.Used)
	}
	rows, _ := s.engine.Store().DB().QueryContext(s.t.Context(), `SELECT at, act, request, step, detail FROM entry WHERE at BETWEEN $1 AND $2`, from.UnixMilli(), to.UnixMilli())
	defer rows.Close()
	for rows.Next() {
		var a int64
		var b, c, d, e string
		_ = rows.Scan(&a, &b, &c, &d, &e)
		s.t.Log(time.UnixMilli(a).UTC().Format("01-02 15:04:05.000"), b, c, d, e)
	}
}
