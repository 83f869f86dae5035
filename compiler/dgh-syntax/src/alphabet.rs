//! The three alphabets of a program, for logos: outside strings, inside `"…"`, inside `"""…"""`.

use logos::Logos;

use crate::SyntaxKind;

/// Outside strings, and inside `{{ }}`.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeToken {
    #[regex(r"[ \t\r\n]+")]
    Whitespace,
    #[regex(r"//[^\r\n]*", priority = 5, allow_greedy = true)]
    Comment,
    #[regex(r"///([^/\r\n][^\r\n]*)?", priority = 6, allow_greedy = true)]
    DocComment,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Ident,
    #[regex(r"[0-9][0-9_]*", priority = 10)]
    Int,
    #[regex(r"[0-9][0-9_]*\.[0-9]+", priority = 10)]
    Number,
    #[regex(r"[0-9][0-9_]*(\.[0-9]+)?(ms|s|min|h|d)", priority = 10)]
    Duration,
    #[regex(r"[0-9][0-9_]*(\.[0-9]+)?%", priority = 10)]
    Percent,
    #[regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", priority = 10)]
    Date,
    #[regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?", priority = 10)]
    DateTime,
    #[regex(r"[0-9]{1,2}:[0-9]{2}", priority = 10)]
    Time,
    #[regex(r"[0-9][0-9_]*(\.[0-9]+)?[A-Za-z_][A-Za-z0-9_]*", priority = 3)]
    #[regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]+[A-Za-z0-9_:]*", priority = 3)]
    #[regex(r"[0-9]+:[0-9]+[A-Za-z0-9_]*", priority = 3)]
    BadNumber,
    #[token("\"")]
    Quote,
    #[token("\"\"\"")]
    TripleQuote,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token(":")]
    Colon,
    #[token(",")]
    Comma,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("->")]
    Arrow,
    #[token("=")]
    Equals,
    #[token("==")]
    EqualsEquals,
    #[token("!=")]
    NotEquals,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEquals,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEquals,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("?")]
    Question,
    #[token("??")]
    QuestionQuestion,
    #[token("&&")]
    #[token("||")]
    #[token("!")]
    #[token("=>")]
    #[token(";")]
    #[token("===")]
    #[token("!==")]
    #[token("+=")]
    #[token("-=")]
    #[token("*=")]
    #[token("/=")]
    #[token("++")]
    #[token("--")]
    #[token("**")]
    #[token("→")]
    #[regex(r"#[^\r\n]*", allow_greedy = true)]
    Foreign,
    #[token("'")]
    #[token("`")]
    #[token("“")]
    ForeignQuote,
    #[token("/*")]
    ForeignComment,
}

impl CodeToken {
    /// The kind of its token in the tree.
    pub(crate) fn kind(self) -> SyntaxKind {
        match self {
            Self::Whitespace => SyntaxKind::Whitespace,
            Self::Comment => SyntaxKind::Comment,
            Self::DocComment => SyntaxKind::DocComment,
            Self::Ident => SyntaxKind::Ident,
            Self::Int => SyntaxKind::Int,
            Self::Number => SyntaxKind::Number,
            Self::Duration => SyntaxKind::Duration,
            Self::Percent => SyntaxKind::Percent,
            Self::Date => SyntaxKind::Date,
            Self::DateTime => SyntaxKind::DateTime,
            Self::Time => SyntaxKind::Time,
            Self::BadNumber => SyntaxKind::BadNumber,
            Self::Quote | Self::TripleQuote => SyntaxKind::StringStart,
            Self::LeftBrace => SyntaxKind::LeftBrace,
            Self::RightBrace => SyntaxKind::RightBrace,
            Self::LeftParen => SyntaxKind::LeftParen,
            Self::RightParen => SyntaxKind::RightParen,
            Self::LeftBracket => SyntaxKind::LeftBracket,
            Self::RightBracket => SyntaxKind::RightBracket,
            Self::Colon => SyntaxKind::Colon,
            Self::Comma => SyntaxKind::Comma,
            Self::Dot => SyntaxKind::Dot,
            Self::DotDot => SyntaxKind::DotDot,
            Self::Arrow => SyntaxKind::Arrow,
            Self::Equals => SyntaxKind::Equals,
            Self::EqualsEquals => SyntaxKind::EqualsEquals,
            Self::NotEquals => SyntaxKind::NotEquals,
            Self::Less => SyntaxKind::Less,
            Self::LessEquals => SyntaxKind::LessEquals,
            Self::Greater => SyntaxKind::Greater,
            Self::GreaterEquals => SyntaxKind::GreaterEquals,
            Self::Plus => SyntaxKind::Plus,
            Self::Minus => SyntaxKind::Minus,
            Self::Star => SyntaxKind::Star,
            Self::Slash => SyntaxKind::Slash,
            Self::Question => SyntaxKind::Question,
            Self::QuestionQuestion => SyntaxKind::QuestionQuestion,
            Self::Foreign | Self::ForeignComment => SyntaxKind::Foreign,
            Self::ForeignQuote => SyntaxKind::Unknown,
        }
    }
}

/// Inside `"…"`.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineToken {
    #[regex(r#"[^"\\\r\n{]+"#)]
    #[token("{")]
    #[token("\\", priority = 1)]
    Text,
    #[regex(r"\\[^\r\n]")]
    Escape,
    #[token("{{")]
    Interpolation,
    #[token("\"")]
    End,
    #[regex(r"[\r\n]")]
    LineEnd,
}

/// Inside `"""…"""`.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockToken {
    #[regex(r#"[^"\\{]+"#)]
    #[token("{")]
    #[token("\"")]
    #[token("\\", priority = 1)]
    Text,
    #[regex(r"\\[\s\S]")]
    Escape,
    #[token("{{")]
    Interpolation,
    #[token("\"\"\"")]
    End,
}
