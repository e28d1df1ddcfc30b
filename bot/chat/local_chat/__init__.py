"""The local chat: a chat platform inside the house, for the demo and for rooms without one."""
