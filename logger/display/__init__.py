"""What people see: texts in their language, numbers and dates of their locale, units of their choice."""
