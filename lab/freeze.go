package lab

import "errors"

// FreezeDatabase stops all backends of PostgreSQL where they are, or lets them
// go on.
func (l *Lab) FreezeDatabase(frozen bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	if !frozen {
		if l.frozen != nil {
			l.frozen.end()
			l.frozen = nil
		}
		return nil
	}
	if l.frozen != nil {
		return nil
	}
	l.frozen = startFreeze(l.postgres.PID())
	if l.frozen == nil {
		return errors.New("freezing the database works on Linux only")
	}
	return nil
}
