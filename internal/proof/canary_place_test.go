package proof

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The kinds of place that are scanned beside memory and core images.
const (
	placeMemory   = "process memory"
	placeCore     = "core image"
	placeFiles    = "data directory, with WAL and temporary files"
	placeQueue    = "queue tables"
	placeDatabase = "database dump"
	placeLogs     = "logs"
	placeMetrics  = "metrics"
	placeCLI      = "CLI output"
	placeAudit    = "audit export"
)

func places() []string {
	return []string{placeMemory, placeCore, placeFiles, placeQueue, placeDatabase, placeLogs, placeMetrics, placeCLI, placeAudit}
}

// files scans every file below some directories: contents and names.
func (h *haystack) files(dirs ...string) (*scanner, error) {
	s := h.scan()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			if err != nil {
				return err
			}
			s.found.join(h.in([]byte(path)))
			if !d.Type().IsRegular() {
				return nil
			}
			return s.file(path)
		})
		if err != nil {
			return s, fmt.Errorf("scan %s: %w", dir, err)
		}
	}
	return s, nil
}

func (s *scanner) file(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(s.read(f), f.Close())
}

// unlinked scans the files that a process holds open without a name: how
// temporary files are often made.
func (s *scanner) unlinked(pid int) error {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("the open files of weir: %w", err)
	}
	for _, d := range list {
		path := filepath.Join(dir, d.Name())
		target, err := os.Readlink(path)
		if err != nil || !strings.HasSuffix(target, " (deleted)") {
			continue // closed meanwhile, or it has a name
		}
		if err := s.file(path); err != nil {
			return fmt.Errorf("read %s: %w", target, err)
		}
	}
	return nil
}

// dump scans every row of every table; queue counts what River's tables hold.
func (h *haystack) dump(ctx context.Context, dsn string) (queue, all *scanner, err error) {
	names := `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`
	if strings.HasPrefix(dsn, "sqlite://") {
		names = `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1`
	}
	db, err := beside(dsn)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := column(ctx, db, names)
	if err != nil {
		return nil, nil, fmt.Errorf("list the tables: %w", err)
	}
	queue, all = h.scan(), h.scan()
	for _, table := range tables {
		rows := h.scan()
		if err := rows.table(ctx, db, table); err != nil {
			return nil, nil, fmt.Errorf("read table %s: %w", table, err)
		}
		all.merge(rows)
		if strings.HasPrefix(table, "river_") {
			queue.merge(rows)
		}
	}
	if queue.bytes == 0 || all.bytes == queue.bytes {
		return nil, nil, fmt.Errorf("the dump of %d tables is empty: it proves nothing", len(tables))
	}
	return queue, all, nil
}

// beside opens a store that a weir is using, to read.
func beside(dsn string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
		return sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	}
	return sql.Open("pgx", dsn)
}

func column(ctx context.Context, db *sql.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func (s *scanner) merge(other *scanner) {
	s.bytes += other.bytes
	s.found.join(other.found)
}

// table scans one table as it is stored: text and bytes unchanged.
func (s *scanner) table(ctx context.Context, db *sql.DB, name string) error {
	r, w := io.Pipe()
	go func() { // ends with the last row, or when the scan has given up
		to := bufio.NewWriterSize(w, 256<<10)
		err := rowsOf(ctx, db, name, to)
		if err == nil {
			err = to.Flush()
		}
		_ = w.CloseWithError(err) // never fails
	}()
	return errors.Join(s.read(r), r.Close())
}

func rowsOf(ctx context.Context, db *sql.DB, name string, to io.Writer) (err error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+name+`"`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		err := rows.Scan(into...)
		for _, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			if err == nil {
				_, err = fmt.Fprintln(to, v)
			}
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// page scans what an address shows.
func (h *haystack) page(ctx context.Context, url string) (*scanner, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	s := h.scan()
	return s, s.read(bytes.NewReader(text))
}

// verbs runs verbs as people do and scans all that they print, whatever their
// exit code: a refusal may leak as well. Each must print something.
func (h *haystack) verbs(ctx context.Context, w *installation, verbs [][]string) (*scanner, error) {
	s := h.scan()
	for _, args := range verbs {
		for _, global := range [][]string{nil, {"--json"}} {
			text, err := w.output(ctx, append(global, args...)...)
			if err != nil {
				return s, err
			}
			if err := s.read(bytes.NewReader(text)); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// output is what a verb prints on both its channels.
func (w *installation) output(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program, append([]string{"--config", w.path("weir.yaml")}, args...)...)
	cmd.Env = append(os.Environ(), w.env...)
	text, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("weir %s: %w", args[0], err)
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("weir %s printed nothing", strings.Join(args, " "))
	}
	return text, nil
}
