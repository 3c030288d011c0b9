package handler

import "go.starlark.net/syntax"

// known has what is certain about a program's names before it runs. It allows the most
// frequent operations to stay native: p[i] on a packet, and comparison with a constant.
type known struct {
	constants map[string]syntax.Expr              // names bound once, to a literal, at the top level
	packets   map[*syntax.DefStmt]map[string]bool // variables of a function that always hold packets
	bound     map[string]int                      // how often a name is bound, anywhere
	widths    map[*syntax.BinaryExpr]int          // results of bits, so that a long sum is not walked again for each +
}

// infer analyses a program before it is rewritten.
func infer(file *syntax.File) known {
	k := known{constants: make(map[string]syntax.Expr), packets: make(map[*syntax.DefStmt]map[string]bool),
		bound: make(map[string]int), widths: make(map[*syntax.BinaryExpr]int)}
	bound := k.bound
	bind := func(e syntax.Expr) {
		for _, name := range namesIn(e) {
			bound[name]++
		}
	}
	functions := make(map[string]*syntax.DefStmt)
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.AssignStmt:
			bind(n.LHS)
		case *syntax.ForStmt:
			bind(n.Vars)
		case *syntax.ForClause:
			bind(n.Vars)
		case *syntax.DefStmt:
			bound[n.Name.Name]++
			for _, p := range n.Params {
				bind(parameter(p))
			}
		case *syntax.LambdaExpr:
			for _, p := range n.Params {
				bind(parameter(p))
			}
		}
		return true
	})
	for _, s := range file.Stmts {
		switch s := s.(type) {
		case *syntax.DefStmt:
			if bound[s.Name.Name] == 1 {
				functions[s.Name.Name] = s
				k.packets[s] = assumed(s)
			}
		case *syntax.AssignStmt:
			if name, ok := s.LHS.(*syntax.Ident); ok && s.Op == syntax.EQ && bound[name.Name] == 1 && scalar(s.RHS) {
				k.constants[name.Name] = s.RHS
			}
		}
	}
	if tick := functions["tick"]; tick != nil {
		clear(k.packets[tick]) // its argument is a number
	}
	// Remove names that some binding contradicts, until nothing changes. A chain of names
	// may lose only one per pass, so after maxPasses all names are removed.
	const maxPasses = 64
	for pass, changed := 0, true; changed; pass++ {
		if pass == maxPasses {
			clear(k.packets)
			break
		}
		changed = false
		forget := func(f *syntax.DefStmt, name string) {
			if k.packets[f][name] {
				delete(k.packets[f], name)
				changed = true
			}
		}
		for _, s := range file.Stmts {
			f, _ := s.(*syntax.DefStmt) // nil at the top level, where no name certainly holds a packet
			k.contradict(f, s, functions, forget)
		}
	}
	return k
}

// parameter returns the name of a parameter.
func parameter(p syntax.Expr) syntax.Expr {
	switch p := p.(type) {
	case *syntax.BinaryExpr: // name=default
		return p.X
	case *syntax.UnaryExpr: // *name
		return p.X
	}
	return p
}

// namesIn returns the names that an assignment to e binds.
func namesIn(e syntax.Expr) []string {
	switch e := e.(type) {
	case *syntax.Ident:
		return []string{e.Name}
	case *syntax.ParenExpr:
		return namesIn(e.X)
	case *syntax.TupleExpr:
		var all []string
		for _, x := range e.List {
			all = append(all, namesIn(x)...)
		}
		return all
	case *syntax.ListExpr:
		var all []string
		for _, x := range e.List {
			all = append(all, namesIn(x)...)
		}
		return all
	}
	return nil
}

// assumed returns the variables of f that may hold packets: parameters without a default,
// and variables assigned by themselves.
func assumed(f *syntax.DefStmt) map[string]bool {
	all := make(map[string]bool)
	for _, p := range f.Params {
		if name, ok := p.(*syntax.Ident); ok {
			all[name.Name] = true
		}
	}
	inside(f.Body, func(n syntax.Node) {
		if a, ok := n.(*syntax.AssignStmt); ok {
			if name, ok := a.LHS.(*syntax.Ident); ok {
				all[name.Name] = true
			}
		}
	})
	return all
}

// inside visits the nodes of a function's body, except those of nested functions.
func inside(body []syntax.Stmt, visit func(syntax.Node)) {
	for _, s := range body {
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n.(type) {
			case nil:
				return true
			case *syntax.DefStmt, *syntax.LambdaExpr:
				return false
			}
			visit(n)
			return true
		})
	}
}

// contradict forgets the names that statement s, in function f, shows not to hold packets
// only.
func (k known) contradict(f *syntax.DefStmt, s syntax.Stmt, functions map[string]*syntax.DefStmt, forget func(*syntax.DefStmt, string)) {
	isPacket := func(e syntax.Expr, nested bool) bool { return !nested && k.isPacket(f, e) }
	unbind := func(e syntax.Expr) {
		for _, name := range namesIn(e) {
			forget(f, name)
		}
	}
	var walk func(n syntax.Node, nested bool)
	walk = func(n syntax.Node, nested bool) {
		syntax.Walk(n, func(m syntax.Node) bool {
			switch m := m.(type) {
			case *syntax.DefStmt:
				if m == f {
					return true
				}
				forget(f, m.Name.Name)
				for _, p := range m.Params {
					unbind(parameter(p)) // it shadows f's variable
					walk(p, true)
				}
				for _, inner := range m.Body {
					walk(inner, true)
				}
				return false
			case *syntax.LambdaExpr:
				for _, p := range m.Params {
					unbind(parameter(p))
					walk(p, true)
				}
				walk(m.Body, true)
				return false
			case *syntax.ForStmt:
				unbind(m.Vars)
			case *syntax.ForClause:
				unbind(m.Vars)
			case *syntax.AssignStmt:
				if name, ok := m.LHS.(*syntax.Ident); !ok {
					unbind(m.LHS)
				} else if m.Op != syntax.EQ || !isPacket(m.RHS, nested) {
					forget(f, name.Name)
				}
			case *syntax.CallExpr:
				name, ok := unparen(m.Fn).(*syntax.Ident)
				called := functions[nameOf(name, ok)]
				if called == nil {
					return true
				}
				k.arguments(called, m.Args, func(e syntax.Expr) bool { return isPacket(e, nested) }, forget)
				for _, a := range m.Args {
					walk(a, nested)
				}
				return false // the name is called, not used as a value
			case *syntax.Ident:
				if used := functions[m.Name]; used != nil && used.Name != m { // used as a value, so it may be called with anything
					for _, p := range used.Params {
						for _, name := range namesIn(parameter(p)) {
							forget(used, name)
						}
					}
				}
			}
			return true
		})
	}
	walk(s, false)
}

func nameOf(name *syntax.Ident, ok bool) string {
	if !ok {
		return ""
	}
	return name.Name
}

// arguments forgets the parameters of a function for which a call has something other than a
// packet.
func (k known) arguments(called *syntax.DefStmt, args []syntax.Expr, isPacket func(syntax.Expr) bool, forget func(*syntax.DefStmt, string)) {
	for i, a := range args {
		if named, ok := a.(*syntax.BinaryExpr); ok && named.Op == syntax.EQ {
			if name, ok := named.X.(*syntax.Ident); ok && !isPacket(named.Y) {
				forget(called, name.Name)
			}
			continue
		}
		if i < len(called.Params) && !isPacket(a) {
			for _, name := range namesIn(parameter(called.Params[i])) {
				forget(called, name)
			}
		}
	}
}

// isPacket reports whether an expression in function f is always a packet.
func (k known) isPacket(f *syntax.DefStmt, e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Ident:
		return f != nil && k.packets[f][e.Name]
	case *syntax.ParenExpr:
		return k.isPacket(f, e.X)
	case *syntax.CallExpr:
		switch callee := unparen(e.Fn).(type) {
		case *syntax.Ident:
			return (callee.Name == "packet" || callee.Name == "fix") && k.bound[callee.Name] == 0
		case *syntax.DotExpr:
			return callee.Name.Name == "copy" && k.isPacket(f, callee.X)
		}
	}
	return false
}
