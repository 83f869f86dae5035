//! `const`: lowered when first read, so that their order does not matter.

use dgh_diag::Code;
use dgh_ir::{Expr, Origin, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::{Cx, Lower};

/// The constants of all files.
#[derive(Debug, Default)]
pub(crate) struct Consts {
    all: Vec<Const>,
}

#[derive(Debug)]
struct Const {
    name: String,
    item: ast::Const,
    file: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    /// Being lowered: reading it now is a circle.
    Busy,
    Done(Expr),
}

impl Consts {
    pub(crate) fn declare(&mut self, name: String, item: ast::Const, file: usize) -> usize {
        self.all.push(Const { name, item, file, state: State::Waiting });
        self.all.len() - 1
    }

    /// The literal that a constant is written as, if it is one.
    pub(crate) fn literal(&self, index: usize) -> Option<ast::Literal> {
        match self.all.get(index)?.item.value()? {
            ast::Expr::Literal(literal) => Some(literal),
            _ => None,
        }
    }
}

impl Lower<'_> {
    /// The value of a constant.
    pub(crate) fn constant(&mut self, index: usize, origin: Origin) -> Expr {
        let Some(constant) = self.consts.all.get_mut(index) else { return Expr::hole(origin) };
        match &constant.state {
            State::Done(value) => Expr { origin, ..value.clone() },
            State::Busy => {
                let (name, file) = (constant.name.clone(), constant.file);
                let span = constant.item.name().map_or_else(|| constant.item.span(), |n| n.span());
                let place = self.place(file, span);
                self.error_hint(
                    Code::RecursiveType,
                    place,
                    format!("`{name}` needs itself to be computed"),
                    "A constant may use other constants, but not in a circle.",
                );
                Expr::hole(origin)
            }
            State::Waiting => {
                constant.state = State::Busy;
                let (item, file) = (constant.item.clone(), constant.file);
                let value = self.const_value(file, &item);
                if let Some(constant) = self.consts.all.get_mut(index) {
                    constant.state = State::Done(value.clone());
                }
                Expr { origin, ..value }
            }
        }
    }

    fn const_value(&mut self, file: usize, item: &ast::Const) -> Expr {
        let cx = Cx::fixed(file);
        let declared: Option<Type> = item.ty().map(|ty| self.ty(file, &ty));
        let Some(value) = item.value() else { return Expr::hole(Origin::NONE) };
        match declared {
            Some(ty) => {
                let what = item.name().map(|n| n.text()).unwrap_or_default();
                let mut value = self.value(&cx, &value, &ty, &format!("`{what}`"));
                // What was declared holds, not what happens to be written.
                value.ty = ty;
                value
            }
            None => self.expr(&cx, &value, None),
        }
    }

    /// Lowers the constants that nothing reads, for their errors.
    pub(crate) fn all_consts(&mut self) {
        for index in 0..self.consts.all.len() {
            self.constant(index, Origin::NONE);
        }
    }
}
