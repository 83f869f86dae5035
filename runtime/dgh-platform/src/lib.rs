//! What the product does: agents from folders, their profiles, tools and models, live calls.
