//! Typed views over the tree.
//!
//! A view is a tree node and nothing else: it is made by [`AstNode::cast`], copies nothing, and may stand on a program
//! that is not finished, so every accessor gives an `Option` or an iterator.

mod agent;
mod expr;
mod item;
mod literal;
mod node;
mod route;
mod step;
mod string;
mod test;
mod types;

use dgh_diag::Span;

pub use agent::{
    Always, BeforeCall, Ensure, Ensured, Everything, Group, Guard, GuardedSteps, HookStep, Input, Member,
    Moved, Never, Outcome, Review, Score, Sink, Start, Var, Webhook,
};
pub use expr::{
    Arg, ArgList, BinaryExpr, BinaryOp, CallExpr, Expr, FieldExpr, ListExpr, MatchArm, MatchElse, MatchExpr,
    MaybeExpr, NameExpr, ParenExpr, PrefixExpr, PrefixOp, RecordExpr, RecordField,
};
pub use item::{
    Agent, Config, Const, DefaultValue, Edition, Enum, EnumCase, EventDef, Field, File, Flow, GroupDef,
    Import, Item, Knowledge, LanguageTag, Mcp, Param, ParamList, Phrase, PhraseEntry, Provider, ResultType,
    Setting, Tool, TypeDef,
};
pub(crate) use literal::value as literal_value;
pub use literal::{Currency, Literal, LiteralValue};
pub use node::{Anywhere, Collect, FromList, Node, NodeItem, Note, Path, Prompt, Use};
pub use route::{
    AgentTarget, BackTarget, DetourTarget, ElseRoute, EndTarget, Event, IfRoute, Like, NextRoute, NodeTarget,
    On, ReturnTarget, Route, Target, Unlike, When,
};
pub use step::{Ask, Binding, Block, Call, Clear, Play, Press, Run, Say, Set, Step, Tell, Transfer, Wait};
pub use string::{Format, Interpolation, StringLit, StringPart};
pub use test::{
    AgentSays, AtLeast, Caller, Expect, Given, GivenValue, HangsUp, Interrupts, Judge, Keys, Means, Mock,
    Nothing, OfAgent, Says, Test, TestItem, Waits,
};
pub use types::{Bound, ListType, NamedType, RangeType, TypeArgs, TypeKind, TypeRef};

use crate::{SyntaxKind, SyntaxNode, SyntaxToken};

/// A typed view of a tree node.
pub trait AstNode: Sized {
    /// Whether a node of this kind can be seen so.
    fn can_cast(kind: SyntaxKind) -> bool;

    /// The view, if the node is of the right kind.
    fn cast(node: SyntaxNode) -> Option<Self>;

    /// The node.
    fn syntax(&self) -> &SyntaxNode;

    /// Its bytes, without the spaces and comments around it.
    fn span(&self) -> Span {
        node_span(self.syntax())
    }

    /// The text of the `///` lines directly above it, without slashes, lines joined by `\n`.
    fn docs(&self) -> Option<String> {
        docs(self.syntax())
    }

    /// Whether it holds bytes that fit nowhere: an error was already reported inside it.
    fn has_errors(&self) -> bool {
        self.syntax().descendants().any(|n| n.kind() == SyntaxKind::Error)
    }
}

/// Bytes of a node.
pub fn node_span(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    Span::new(range.start().into(), range.end().into())
}

/// Bytes of a token.
pub fn token_span(token: &SyntaxToken) -> Span {
    let range = token.text_range();
    Span::new(range.start().into(), range.end().into())
}

/// The text of the `///` lines directly above a node; a blank line ends them.
pub fn docs(node: &SyntaxNode) -> Option<String> {
    let mut lines = Vec::new();
    let mut before = node.prev_sibling_or_token();
    while let Some(element) = before {
        let Some(token) = element.as_token() else { break };
        match token.kind() {
            SyntaxKind::DocComment => {
                let line = token.text().trim_start_matches('/').trim_end_matches('\r');
                lines.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
            }
            SyntaxKind::Whitespace if token.text().bytes().filter(|b| *b == b'\n').count() < 2 => {}
            _ => break,
        }
        before = token.prev_sibling_or_token();
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The first child that can be seen as `N`.
fn child<N: AstNode>(node: &SyntaxNode) -> Option<N> {
    node.children().find_map(N::cast)
}

/// The child number `index` (from 0) of those that can be seen as `N`.
fn nth_child<N: AstNode>(node: &SyntaxNode, index: usize) -> Option<N> {
    node.children().filter_map(N::cast).nth(index)
}

/// All children that can be seen as `N`, in order.
fn children<N: AstNode>(node: &SyntaxNode) -> impl Iterator<Item = N> + use<N> {
    node.children().filter_map(N::cast)
}

/// The first token of a kind among the children.
fn token(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxToken> {
    node.children_with_tokens().filter_map(rowan::NodeOrToken::into_token).find(|t| t.kind() == kind)
}

/// The first token among the children that is this word of the language.
fn word(node: &SyntaxNode, text: &str) -> Option<SyntaxToken> {
    node.children_with_tokens()
        .filter_map(rowan::NodeOrToken::into_token)
        .find(|t| t.kind() == SyntaxKind::Ident && t.text() == text)
}

/// Declares views and their accessors:
/// `one name: T` the first child, `all name: T` every child, `word name: "w"` the token of a word of the language.
macro_rules! views {
    ($($(#[$doc:meta])* $view:ident $(= $kind:ident)? {
        $($(#[$adoc:meta])* $how:ident $acc:ident : $what:tt;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $view($crate::SyntaxNode);

        impl $crate::ast::AstNode for $view {
            fn can_cast(kind: $crate::SyntaxKind) -> bool {
                kind == $crate::ast::views!(@kind $view $($kind)?)
            }

            fn cast(node: $crate::SyntaxNode) -> Option<Self> {
                Self::can_cast(node.kind()).then_some(Self(node))
            }

            fn syntax(&self) -> &$crate::SyntaxNode {
                &self.0
            }
        }

        impl $view {
            $($crate::ast::views!(@accessor $(#[$adoc])* $how $acc $what);)*
        }
    )*};
    (@kind $view:ident) => { $crate::SyntaxKind::$view };
    (@kind $view:ident $kind:ident) => { $crate::SyntaxKind::$kind };
    (@accessor $(#[$doc:meta])* one $acc:ident $what:tt) => {
        $(#[$doc])*
        pub fn $acc(&self) -> Option<$what> {
            $crate::ast::child(&self.0)
        }
    };
    (@accessor $(#[$doc:meta])* all $acc:ident $what:tt) => {
        $(#[$doc])*
        pub fn $acc(&self) -> impl Iterator<Item = $what> + use<> {
            $crate::ast::children(&self.0)
        }
    };
    (@accessor $(#[$doc:meta])* word $acc:ident $what:tt) => {
        $(#[$doc])*
        pub fn $acc(&self) -> Option<$crate::SyntaxToken> {
            $crate::ast::word(&self.0, $what)
        }
    };
}
use views;

/// Declares a view that is one of several.
macro_rules! choice {
    ($(#[$doc:meta])* $choice:ident { $($(#[$vdoc:meta])* $variant:ident($view:ident),)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $choice {
            $($(#[$vdoc])* $variant($view),)*
        }

        impl $crate::ast::AstNode for $choice {
            fn can_cast(kind: $crate::SyntaxKind) -> bool {
                $(<$view as $crate::ast::AstNode>::can_cast(kind))||*
            }

            fn cast(node: $crate::SyntaxNode) -> Option<Self> {
                $(if <$view as $crate::ast::AstNode>::can_cast(node.kind()) {
                    return <$view as $crate::ast::AstNode>::cast(node).map(Self::$variant);
                })*
                None
            }

            fn syntax(&self) -> &$crate::SyntaxNode {
                match self {
                    $(Self::$variant(view) => $crate::ast::AstNode::syntax(view),)*
                }
            }
        }

        $(impl std::convert::From<$view> for $choice {
            fn from(view: $view) -> Self {
                Self::$variant(view)
            }
        })*
    };
}
use choice;

views! {
    /// A name where it is declared.
    Name {}
    /// A name where it is used.
    NameRef {}
}

impl Name {
    /// The name itself.
    pub fn text(&self) -> String {
        first_token_text(&self.0)
    }
}

impl NameRef {
    /// The name itself.
    pub fn text(&self) -> String {
        first_token_text(&self.0)
    }
}

fn first_token_text(node: &SyntaxNode) -> String {
    node.first_token().map(|t| t.text().to_owned()).unwrap_or_default()
}
