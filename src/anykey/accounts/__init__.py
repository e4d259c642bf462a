"""Who may call, who pays: pure rules, no IO and no clock."""
