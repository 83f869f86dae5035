//! The grammar, run by pest, and what its rules mean for the tree. Nothing outside this crate sees a pest type.

use crate::SyntaxKind;

pub(crate) use parser::{Grammar, Rule};

mod parser {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic, clippy::indexing_slicing)]

    /// The parser that `grammar/dgh.pest` describes.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../../grammar/dgh.pest"]
    pub(crate) struct Grammar;
}

/// What a rule becomes in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A node.
    Node(SyntaxKind),
    /// A node around one name, whose shape is checked.
    Name(SyntaxKind),
    /// A name as a value: two nodes around it.
    NameExpr,
    /// Nothing: its tokens belong to the rule around it.
    Leaf,
    /// Nothing, but what is inside it counts.
    Transparent,
    /// Operands and operators, in a flat list.
    Expression,
    /// An unfinished form.
    Missing,
}

/// What a rule becomes in the tree.
pub(crate) fn meaning(rule: Rule) -> Meaning {
    match rule {
        Rule::name | Rule::type_name => Meaning::Name(SyntaxKind::Name),
        Rule::name_ref => Meaning::Name(SyntaxKind::NameRef),
        Rule::expr | Rule::subject => Meaning::Expression,
        Rule::file | Rule::member_access => Meaning::Transparent,
        Rule::whole_edition
        | Rule::whole_item
        | Rule::whole_member
        | Rule::whole_node_item
        | Rule::whole_route
        | Rule::whole_step
        | Rule::whole_hook_step
        | Rule::whole_test_item
        | Rule::whole_setting
        | Rule::whole_field
        | Rule::whole_case
        | Rule::whole_phrase
        | Rule::whole_review
        | Rule::whole_param
        | Rule::first_item
        | Rule::first_member
        | Rule::first_node_item
        | Rule::first_route
        | Rule::first_step
        | Rule::first_hook_step
        | Rule::first_test_item
        | Rule::first_setting
        | Rule::first_field
        | Rule::first_case
        | Rule::first_phrase
        | Rule::first_review
        | Rule::first_param => Meaning::Transparent,
        Rule::missing_edition | Rule::missing_target | Rule::missing_name | Rule::missing_value => {
            Meaning::Missing
        }
        Rule::edition => Meaning::Node(SyntaxKind::Edition),
        Rule::import => Meaning::Node(SyntaxKind::Import),
        Rule::enum_def => Meaning::Node(SyntaxKind::Enum),
        Rule::enum_case => Meaning::Node(SyntaxKind::EnumCase),
        Rule::type_def => Meaning::Node(SyntaxKind::TypeDef),
        Rule::field => Meaning::Node(SyntaxKind::Field),
        Rule::const_def => Meaning::Node(SyntaxKind::Const),
        Rule::tool => Meaning::Node(SyntaxKind::Tool),
        Rule::params => Meaning::Node(SyntaxKind::ParamList),
        Rule::param => Meaning::Node(SyntaxKind::Param),
        Rule::default => Meaning::Node(SyntaxKind::Default),
        Rule::result => Meaning::Node(SyntaxKind::ResultType),
        Rule::mcp => Meaning::Node(SyntaxKind::Mcp),
        Rule::knowledge => Meaning::Node(SyntaxKind::Knowledge),
        Rule::phrase => Meaning::Node(SyntaxKind::Phrase),
        Rule::phrase_entry => Meaning::Node(SyntaxKind::PhraseEntry),
        Rule::language_tag => Meaning::Node(SyntaxKind::LanguageTag),
        Rule::config => Meaning::Node(SyntaxKind::Config),
        Rule::setting => Meaning::Node(SyntaxKind::Setting),
        Rule::provider => Meaning::Node(SyntaxKind::Provider),
        Rule::event_def => Meaning::Node(SyntaxKind::EventDef),
        Rule::group_def => Meaning::Node(SyntaxKind::GroupDef),
        Rule::agent => Meaning::Node(SyntaxKind::Agent),
        Rule::flow => Meaning::Node(SyntaxKind::Flow),
        Rule::outcome => Meaning::Node(SyntaxKind::Outcome),
        Rule::input => Meaning::Node(SyntaxKind::Input),
        Rule::var => Meaning::Node(SyntaxKind::Var),
        Rule::start => Meaning::Node(SyntaxKind::Start),
        Rule::before_call => Meaning::Node(SyntaxKind::BeforeCall),
        Rule::guarded_steps => Meaning::Node(SyntaxKind::GuardedSteps),
        Rule::webhook => Meaning::Node(SyntaxKind::Webhook),
        Rule::guard => Meaning::Node(SyntaxKind::Guard),
        Rule::review => Meaning::Node(SyntaxKind::Review),
        Rule::score => Meaning::Node(SyntaxKind::Score),
        Rule::ensure => Meaning::Node(SyntaxKind::Ensure),
        Rule::everything => Meaning::Node(SyntaxKind::Everything),
        Rule::always => Meaning::Node(SyntaxKind::Always),
        Rule::never => Meaning::Node(SyntaxKind::Never),
        Rule::sink => Meaning::Node(SyntaxKind::Sink),
        Rule::moved => Meaning::Node(SyntaxKind::Moved),
        Rule::group => Meaning::Node(SyntaxKind::Group),
        Rule::node => Meaning::Node(SyntaxKind::Node),
        Rule::anywhere => Meaning::Node(SyntaxKind::Anywhere),
        Rule::prompt => Meaning::Node(SyntaxKind::Prompt),
        Rule::collect => Meaning::Node(SyntaxKind::Collect),
        Rule::from => Meaning::Node(SyntaxKind::From),
        Rule::note => Meaning::Node(SyntaxKind::Note),
        Rule::use_tools => Meaning::Node(SyntaxKind::Use),
        Rule::path => Meaning::Node(SyntaxKind::Path),
        Rule::say => Meaning::Node(SyntaxKind::Say),
        Rule::ask => Meaning::Node(SyntaxKind::Ask),
        Rule::tell => Meaning::Node(SyntaxKind::Tell),
        Rule::play => Meaning::Node(SyntaxKind::Play),
        Rule::wait => Meaning::Node(SyntaxKind::Wait),
        Rule::call => Meaning::Node(SyntaxKind::Call),
        Rule::run => Meaning::Node(SyntaxKind::Run),
        Rule::binding => Meaning::Node(SyntaxKind::Binding),
        Rule::set => Meaning::Node(SyntaxKind::Set),
        Rule::clear => Meaning::Node(SyntaxKind::Clear),
        Rule::press => Meaning::Node(SyntaxKind::Press),
        Rule::transfer => Meaning::Node(SyntaxKind::Transfer),
        Rule::block => Meaning::Node(SyntaxKind::Block),
        Rule::when => Meaning::Node(SyntaxKind::When),
        Rule::like => Meaning::Node(SyntaxKind::Like),
        Rule::unlike => Meaning::Node(SyntaxKind::Unlike),
        Rule::on => Meaning::Node(SyntaxKind::On),
        Rule::event => Meaning::Node(SyntaxKind::Event),
        Rule::if_route => Meaning::Node(SyntaxKind::IfRoute),
        Rule::else_route => Meaning::Node(SyntaxKind::ElseRoute),
        Rule::next => Meaning::Node(SyntaxKind::NextRoute),
        Rule::end => Meaning::Node(SyntaxKind::EndTarget),
        Rule::back => Meaning::Node(SyntaxKind::BackTarget),
        Rule::detour => Meaning::Node(SyntaxKind::DetourTarget),
        Rule::return_value => Meaning::Node(SyntaxKind::ReturnTarget),
        Rule::hand_over => Meaning::Node(SyntaxKind::AgentTarget),
        Rule::goto => Meaning::Node(SyntaxKind::NodeTarget),
        Rule::test => Meaning::Node(SyntaxKind::Test),
        Rule::of_agent => Meaning::Node(SyntaxKind::OfAgent),
        Rule::at_least => Meaning::Node(SyntaxKind::AtLeast),
        Rule::given => Meaning::Node(SyntaxKind::Given),
        Rule::given_value => Meaning::Node(SyntaxKind::GivenValue),
        Rule::mock => Meaning::Node(SyntaxKind::Mock),
        Rule::says => Meaning::Node(SyntaxKind::Says),
        Rule::interrupts => Meaning::Node(SyntaxKind::Interrupts),
        Rule::means => Meaning::Node(SyntaxKind::Means),
        Rule::nothing => Meaning::Node(SyntaxKind::Nothing),
        Rule::agent_says => Meaning::Node(SyntaxKind::AgentSays),
        Rule::keys => Meaning::Node(SyntaxKind::Keys),
        Rule::waits => Meaning::Node(SyntaxKind::Waits),
        Rule::hangs_up => Meaning::Node(SyntaxKind::HangsUp),
        Rule::expect => Meaning::Node(SyntaxKind::Expect),
        Rule::caller => Meaning::Node(SyntaxKind::Caller),
        Rule::judge => Meaning::Node(SyntaxKind::Judge),
        Rule::type_ref => Meaning::Node(SyntaxKind::TypeRef),
        Rule::type_list => Meaning::Node(SyntaxKind::ListType),
        Rule::type_named => Meaning::Node(SyntaxKind::NamedType),
        Rule::type_args => Meaning::Node(SyntaxKind::TypeArgs),
        Rule::type_range => Meaning::Node(SyntaxKind::RangeType),
        Rule::literal => Meaning::Node(SyntaxKind::Literal),
        Rule::currency => Meaning::Node(SyntaxKind::Currency),
        Rule::line_string => Meaning::Node(SyntaxKind::String),
        Rule::block_string => Meaning::Node(SyntaxKind::String),
        Rule::interpolation => Meaning::Node(SyntaxKind::Interpolation),
        Rule::block_interpolation => Meaning::Node(SyntaxKind::Interpolation),
        Rule::format => Meaning::Node(SyntaxKind::Format),
        Rule::name_expr => Meaning::NameExpr,
        Rule::paren => Meaning::Node(SyntaxKind::ParenExpr),
        Rule::list => Meaning::Node(SyntaxKind::ListExpr),
        Rule::record => Meaning::Node(SyntaxKind::RecordExpr),
        Rule::record_field => Meaning::Node(SyntaxKind::RecordField),
        Rule::match_value => Meaning::Node(SyntaxKind::MatchExpr),
        Rule::match_arm => Meaning::Node(SyntaxKind::MatchArm),
        Rule::match_else => Meaning::Node(SyntaxKind::MatchElse),
        Rule::args => Meaning::Node(SyntaxKind::ArgList),
        Rule::arg => Meaning::Node(SyntaxKind::Arg),
        // Marks and words: leaves of the node around them.
        _ => Meaning::Leaf,
    }
}

/// Whether it stands for something that was left out.
pub(crate) fn is_missing(rule: Rule) -> bool {
    matches!(rule, Rule::missing_edition | Rule::missing_target | Rule::missing_name | Rule::missing_value)
}
