//! Every kind of token and node in the tree.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a token or a node is. Tokens come first, nodes from [`SyntaxKind::File`] on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum SyntaxKind {
            $($(#[$doc])* $name,)*
        }

        impl SyntaxKind {
            /// All kinds, by number.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

kinds! {
    // ── trivia ──
    /// Spaces, tabs, line ends, and a byte order mark at the start of the file.
    Whitespace,
    /// `// …` to the end of the line.
    Comment,
    /// `/// …` to the end of the line.
    DocComment,

    // ── words and numbers ──
    /// A name or a word of the language: words are keywords by their place only.
    Ident,
    /// `10_000`
    Int,
    /// `0.5`
    Number,
    /// `700ms`, `1.2s`, `6min`, `4h`, `7d`
    Duration,
    /// `25%`
    Percent,
    /// `2026-03-01`
    Date,
    /// `2026-03-01T10:00`
    DateTime,
    /// `9:00`
    Time,

    // ── strings ──
    /// The opening `"` or `"""`.
    StringStart,
    /// Words between escapes and interpolations.
    StringText,
    /// `\n` and its like, good or bad.
    StringEscape,
    /// The closing quotes.
    StringEnd,
    /// `{{`
    InterpolationStart,
    /// `}}`
    InterpolationEnd,

    // ── marks ──
    /// `{`
    LeftBrace,
    /// `}`
    RightBrace,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// `[`
    LeftBracket,
    /// `]`
    RightBracket,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// `->`
    Arrow,
    /// `=`
    Equals,
    /// `==`
    EqualsEquals,
    /// `!=`
    NotEquals,
    /// `<`
    Less,
    /// `<=`
    LessEquals,
    /// `>`
    Greater,
    /// `>=`
    GreaterEquals,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `?`
    Question,
    /// `??`
    QuestionQuestion,

    // ── what no program may hold ──
    /// Digits that are no number, date, time or duration: `3sec`, `2026-3-1`.
    BadNumber,
    /// A word with letters that names do not have.
    BadWord,
    /// The spelling of another language: `&&`, `'…'`, `# …`, `;`, `=>`.
    Foreign,
    /// Any other character.
    Unknown,

    // ── nodes ──
    /// The whole file.
    File,
    /// Bytes that fit nowhere.
    Error,
    /// `dgh 1`
    Edition,
    /// `import { a, B } from "…"`
    Import,
    /// `enum Name { … }`
    Enum,
    /// One case of an enum.
    EnumCase,
    /// `type Name { … }`
    TypeDef,
    /// `name: type "…"` in a type.
    Field,
    /// `const name = …`
    Const,
    /// `tool name(…) -> type { … }`
    Tool,
    /// `( … )` after the name of a tool, flow, provider or event.
    ParamList,
    /// `name: type = default "…"`
    Param,
    /// `= value` of a parameter, input or variable.
    Default,
    /// `-> type` of a tool or flow.
    ResultType,
    /// `mcp name { … }`
    Mcp,
    /// `knowledge name { … }`
    Knowledge,
    /// `phrase name { … }`
    Phrase,
    /// `en "…"`
    PhraseEntry,
    /// `en`, `es-419`
    LanguageTag,
    /// `{ setting… }`
    Config,
    /// `name: value`
    Setting,
    /// `provider llm name(…) { … }`
    Provider,
    /// `event name(…) { … }`
    EventDef,
    /// `group name { … }`
    GroupDef,

    /// `agent name { … }`
    Agent,
    /// `flow name(…) -> type { … }`
    Flow,
    /// `outcome a, b`
    Outcome,
    /// `input name: type`
    Input,
    /// `var name: type`
    Var,
    /// `start node`
    Start,
    /// `before call { … }`
    BeforeCall,
    /// `if … { … }` in `before call`
    GuardedSteps,
    /// `webhook name on call.ended { … }`
    Webhook,
    /// `if …` of a `when` or a webhook
    Guard,
    /// `review name { … }`
    Review,
    /// `score name: 1..5 "…"`
    Score,
    /// `ensure … before …`
    Ensure,
    /// `everything`, after `before`
    Everything,
    /// `always … else "…"`
    Always,
    /// `never … in …`
    Never,
    /// A sink named by `never`.
    Sink,
    /// `moved old -> new`
    Moved,
    /// `limits { … }` and its like
    Group,

    /// `node name { … }`
    Node,
    /// `anywhere { … }`
    Anywhere,
    /// `prompt "…"`
    Prompt,
    /// `collect a, b { … }`
    Collect,
    /// `from …` of a `collect`
    From,
    /// `note a, b`
    Note,
    /// `use a, b.c`
    Use,
    /// `a.b.c`
    Path,

    /// `say "…"`
    Say,
    /// `ask "…"`
    Ask,
    /// `tell "…"`
    Tell,
    /// `play …`
    Play,
    /// `wait 1s`
    Wait,
    /// `call tool(…) as x { … }`
    Call,
    /// `run flow(…) as x`
    Run,
    /// `as x`
    Binding,
    /// `set x = …`
    Set,
    /// `clear x, y`
    Clear,
    /// `press "…"`
    Press,
    /// `transfer … { … }`
    Transfer,
    /// `{ step… }`
    Block,

    /// `when label: "…" -> …`
    When,
    /// `like […]`
    Like,
    /// `unlike […]`
    Unlike,
    /// `on event -> …`
    On,
    /// The event of an `on`.
    Event,
    /// `if … -> …`
    IfRoute,
    /// `else -> …`
    ElseRoute,
    /// `next -> …`
    NextRoute,
    /// The target `end outcome`.
    EndTarget,
    /// The target `back`.
    BackTarget,
    /// The target `detour node`.
    DetourTarget,
    /// The target `return value`.
    ReturnTarget,
    /// The target `agent other(…)`.
    AgentTarget,
    /// A node as target.
    NodeTarget,

    /// `test "…" { … }`
    Test,
    /// `of agent`
    OfAgent,
    /// `at_least 80%`
    AtLeast,
    /// `given a = …, b = …`
    Given,
    /// `path = value`
    GivenValue,
    /// `mock tool = …`
    Mock,
    /// `says "…" means …`
    Says,
    /// `interrupts "…"`
    Interrupts,
    /// `means …`
    Means,
    /// `nothing`, after `means`
    Nothing,
    /// `agent_says "…"`
    AgentSays,
    /// `keys "…"`
    Keys,
    /// `waits 8s`
    Waits,
    /// `hangs_up`
    HangsUp,
    /// `expect …`
    Expect,
    /// `caller "…"`
    Caller,
    /// `judge "…"`
    Judge,

    /// A type where one is used.
    TypeRef,
    /// `list<type>`
    ListType,
    /// `text`, `Slot`, `digits(4)`
    NamedType,
    /// `(4)` of `digits(4)`
    TypeArgs,
    /// `1..5`
    RangeType,

    /// A literal.
    Literal,
    /// `USD`
    Currency,
    /// A string with all its parts.
    String,
    /// `{{ expr as format }}`
    Interpolation,
    /// `as spoken`
    Format,
    /// A name as a value.
    NameExpr,
    /// `( … )`
    ParenExpr,
    /// `[ … ]`
    ListExpr,
    /// `{ name: value }`
    RecordExpr,
    /// `name: value` in a record
    RecordField,
    /// `match … { … }`
    MatchExpr,
    /// `case -> value`
    MatchArm,
    /// `else` as the case of an arm
    MatchElse,
    /// `value.name`
    FieldExpr,
    /// `value(…)`
    CallExpr,
    /// `( … )` of a call or an event
    ArgList,
    /// `value` or `name: value` in it
    Arg,
    /// `value?`
    MaybeExpr,
    /// `not value`, `-value`
    PrefixExpr,
    /// `a + b`
    BinaryExpr,

    /// A name where it is declared.
    Name,
    /// A name where it is used.
    NameRef,
}

impl SyntaxKind {
    /// Whether it is a space or a comment.
    pub fn is_trivia(self) -> bool {
        self <= Self::DocComment
    }

    /// Whether it is a token, not a node.
    pub fn is_token(self) -> bool {
        self < Self::File
    }

    /// Whether no program may hold it.
    pub fn is_bad_token(self) -> bool {
        (Self::BadNumber..=Self::Unknown).contains(&self)
    }
}

/// The language of the tree, for rowan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dgh {}

impl rowan::Language for Dgh {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        SyntaxKind::ALL.get(usize::from(raw.0)).copied().unwrap_or(SyntaxKind::Error)
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        kind.into()
    }
}

impl From<SyntaxKind> for rowan::SyntaxKind {
    fn from(kind: SyntaxKind) -> Self {
        Self(kind as u16)
    }
}
