//! Expressions.

use super::{AstNode, Literal, Name, NameRef, StringLit, child, choice, nth_child, token, views};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// A name as a value.
    NameExpr {
        /// The name.
        one name: NameRef;
    }
    /// `( … )`
    ParenExpr {
        /// What is inside.
        one inner: Expr;
    }
    /// `[ … ]`
    ListExpr {
        /// The elements.
        all elements: Expr;
    }
    /// `{ name: value }`
    RecordExpr {
        /// The fields.
        all fields: RecordField;
    }
    /// `name: value` in a record
    RecordField {
        /// The name, unless it is a string.
        one name: Name;
    }
    /// `match subject { case -> value }`
    MatchExpr {
        /// What is looked at.
        one subject: Expr;
        /// The arms, in order.
        all arms: MatchArm;
    }
    /// `case -> value`, `else -> value`
    MatchArm {
        /// `else`
        one otherwise: MatchElse;
    }
    /// `else` as the case of an arm
    MatchElse {}
    /// `base.field`
    FieldExpr {
        /// What has the field.
        one base: Expr;
        /// The field.
        one field: NameRef;
    }
    /// `callee(args)`
    CallExpr {
        /// What is called.
        one callee: Expr;
        /// `( … )`
        one args: ArgList;
    }
    /// `( … )`
    ArgList {
        /// The arguments.
        all args: Arg;
    }
    /// `value` or `name: value`
    Arg {
        /// The name of the parameter, if written.
        one name: Name;
        /// The value.
        one value: Expr;
    }
    /// `base?`
    MaybeExpr {
        /// What may be missing.
        one base: Expr;
    }
    /// `not a`, `-a`
    PrefixExpr {
        /// What it applies to.
        one operand: Expr;
    }
    /// `a + b`
    BinaryExpr {
        /// The left side.
        one left: Expr;
    }
}

choice! {
    /// An expression.
    Expr {
        /// A literal.
        Literal(Literal),
        /// A string.
        String(StringLit),
        /// A name.
        Name(NameExpr),
        /// `( … )`
        Paren(ParenExpr),
        /// `[ … ]`
        List(ListExpr),
        /// `{ … }`
        Record(RecordExpr),
        /// `match … { … }`
        Match(MatchExpr),
        /// `base.field`
        Field(FieldExpr),
        /// `callee(args)`
        Call(CallExpr),
        /// `base?`
        Maybe(MaybeExpr),
        /// `not a`, `-a`
        Prefix(PrefixExpr),
        /// `a + b`
        Binary(BinaryExpr),
    }
}

impl Expr {
    /// The expression without the parentheses around it.
    pub fn without_parens(self) -> Option<Self> {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            expr = paren.inner()?;
        }
        Some(expr)
    }

    /// The path that it is, if it is one: `call.outcome`, `slots.first.at`.
    pub fn path(&self) -> Option<Vec<NameRef>> {
        match self {
            Self::Name(name) => Some(vec![name.name()?]),
            Self::Field(field) => {
                let mut path = field.base()?.path()?;
                path.push(field.field()?);
                Some(path)
            }
            _ => None,
        }
    }
}

impl RecordField {
    /// The key, whether it is a name or a string in quotes.
    pub fn key(&self) -> Option<String> {
        match self.name() {
            Some(name) => Some(name.text()),
            None => self.key_string()?.plain_text(),
        }
    }

    /// The key, if it is a string.
    pub fn key_string(&self) -> Option<StringLit> {
        let colon = token(&self.0, SyntaxKind::Colon)?;
        child::<StringLit>(&self.0).filter(|s| s.syntax().text_range().end() <= colon.text_range().start())
    }

    /// The value.
    pub fn value(&self) -> Option<Expr> {
        after(&self.0, SyntaxKind::Colon)
    }
}

impl MatchArm {
    /// The case, unless it is `else`.
    pub fn case(&self) -> Option<Expr> {
        let arrow = token(&self.0, SyntaxKind::Arrow)?;
        child::<Expr>(&self.0).filter(|e| e.syntax().text_range().end() <= arrow.text_range().start())
    }

    /// The value.
    pub fn value(&self) -> Option<Expr> {
        after(&self.0, SyntaxKind::Arrow)
    }
}

/// The first expression after the first token of a kind.
fn after(node: &crate::SyntaxNode, kind: SyntaxKind) -> Option<Expr> {
    let end = token(node, kind)?.text_range().end();
    node.children().filter(|n| n.text_range().start() >= end).find_map(Expr::cast)
}

/// What stands before an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrefixOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

impl PrefixExpr {
    /// The operator.
    pub fn op(&self) -> Option<PrefixOp> {
        let token = self.op_token()?;
        Some(if token.kind() == SyntaxKind::Minus { PrefixOp::Negate } else { PrefixOp::Not })
    }

    /// The operator's token.
    pub fn op_token(&self) -> Option<SyntaxToken> {
        self.0
            .children_with_tokens()
            .filter_map(rowan::NodeOrToken::into_token)
            .find(|t| matches!(t.kind(), SyntaxKind::Minus | SyntaxKind::Ident))
    }
}

/// What stands between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
    /// `??`
    Coalesce,
    /// `..`
    Range,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

impl BinaryOp {
    /// The operator of a token.
    pub fn of(kind: SyntaxKind, text: &str) -> Option<Self> {
        Some(match kind {
            SyntaxKind::EqualsEquals => Self::Equal,
            SyntaxKind::NotEquals => Self::NotEqual,
            SyntaxKind::Less => Self::Less,
            SyntaxKind::LessEquals => Self::LessEqual,
            SyntaxKind::Greater => Self::Greater,
            SyntaxKind::GreaterEquals => Self::GreaterEqual,
            SyntaxKind::QuestionQuestion => Self::Coalesce,
            SyntaxKind::DotDot => Self::Range,
            SyntaxKind::Plus => Self::Add,
            SyntaxKind::Minus => Self::Subtract,
            SyntaxKind::Star => Self::Multiply,
            SyntaxKind::Slash => Self::Divide,
            SyntaxKind::Ident => match text {
                "or" => Self::Or,
                "and" => Self::And,
                "in" => Self::In,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// How tightly it binds: left and right power, higher binds more tightly.
    pub fn binding_power(self) -> (u8, u8) {
        match self {
            Self::Or => (1, 2),
            Self::And => (3, 4),
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::In => (7, 8),
            Self::Coalesce => (10, 9),
            Self::Range => (11, 12),
            Self::Add | Self::Subtract => (13, 14),
            Self::Multiply | Self::Divide => (15, 16),
        }
    }

    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Coalesce => "??",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

impl PrefixOp {
    /// How tightly it binds to what follows.
    pub fn binding_power(self) -> u8 {
        match self {
            Self::Not => 5,
            Self::Negate => 17,
        }
    }
}

impl BinaryExpr {
    /// The right side.
    pub fn right(&self) -> Option<Expr> {
        nth_child(&self.0, 1)
    }

    /// The operator.
    pub fn op(&self) -> Option<BinaryOp> {
        let token = self.op_token()?;
        BinaryOp::of(token.kind(), token.text())
    }

    /// The operator's token.
    pub fn op_token(&self) -> Option<SyntaxToken> {
        self.0
            .children_with_tokens()
            .filter_map(rowan::NodeOrToken::into_token)
            .find(|t| !t.kind().is_trivia())
    }
}
