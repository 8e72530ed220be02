"""A forum and social network."""

# databases: sqlite
from datetime import datetime

from sqlalchemy import *
from sqlalchemy.orm import Mapped, mapped_column

from project.models.base import Base


class User(Base):
    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("length(username) >= 3 AND length(username) <= 20", name="username_length"),
        CheckConstraint("reputation >= 0", name="reputation"),
        Index("ix_user_lower_email", func.lower(text("email"))) if False else Index("ix_user_rep", "reputation"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(20), unique=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    display_name: Mapped[str | None] = mapped_column(String(50))
    bio: Mapped[str | None] = mapped_column(Text)
    avatar_url: Mapped[str | None] = mapped_column(String(255))
    location: Mapped[str | None] = mapped_column(String(100))
    birthday: Mapped[datetime | None] = mapped_column(Date)
    reputation: Mapped[int] = mapped_column(server_default="0")
    is_moderator: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen: Mapped[datetime | None]


class Friendship(Base):
    __tablename__ = "friendship"
    __table_args__ = (
        CheckConstraint("user_id <> friend_id", name="no_self_friend"),
        CheckConstraint("status IN ('pending', 'accepted', 'blocked')", name="friend_status"),
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    friend_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(10))
    since: Mapped[datetime]


class OrderedFriendship(Base):
    __tablename__ = "mutual_friend"
    __table_args__ = (CheckConstraint("low_id < high_id", name="ordered_pair"), UniqueConstraint("low_id", "high_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    low_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    high_id: Mapped[int] = mapped_column(ForeignKey("user.id"))


class Follow(Base):
    __tablename__ = "follow"
    __table_args__ = (
        UniqueConstraint("follower_id", "followed_id"),
        CheckConstraint("follower_id != followed_id", name="no_self_follow"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    followed_id: Mapped[int] = mapped_column(ForeignKey("user.id"))


class Board(Base):
    __tablename__ = "board"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("board.id"))
    position: Mapped[int]


class Thread(Base):
    __tablename__ = "thread"
    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("board.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    title: Mapped[str] = mapped_column(String(200))
    is_locked: Mapped[bool] = mapped_column(server_default=false())
    view_count: Mapped[int] = mapped_column(default=0)
    first_post_id: Mapped[int | None] = mapped_column(
        ForeignKey("post.id", use_alter=True, name="fk_thread_first_post")
    )
    last_post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id", use_alter=True, name="fk_thread_last_post"))


class Post(Base):
    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"))
    body: Mapped[str] = mapped_column(Text)
    posted_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]


class Comment(Base):
    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str] = mapped_column(String(500))


class PostLike(Base):
    __tablename__ = "post_like"
    __table_args__ = (PrimaryKeyConstraint("user_id", "post_id"),)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    liked_at: Mapped[datetime]


class Vote(Base):
    __tablename__ = "vote"
    __table_args__ = (UniqueConstraint("user_id", "post_id"), CheckConstraint("value IN (-1, 1)", name="up_or_down"))
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    value: Mapped[int] = mapped_column(SmallInteger)


class Reaction(Base):
    __tablename__ = "reaction"
    __table_args__ = (
        UniqueConstraint("user_id", "post_id", "emoji"),
        CheckConstraint(
            "(post_id IS NOT NULL AND comment_id IS NULL) OR (post_id IS NULL AND comment_id IS NOT NULL)",
            name="one_target",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("post.id"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    emoji: Mapped[str] = mapped_column(String(8))


class Message(Base):
    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("sender_id <> recipient_id", name="not_to_self"),
        CheckConstraint("read_at IS NULL OR read_at >= sent_at", name="read_after_sent"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    subject: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Tag(Base):
    __tablename__ = "tag"
    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    usage_count: Mapped[int] = mapped_column(server_default="0")


class ThreadTag(Base):
    __tablename__ = "thread_tag"
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), primary_key=True)
    tag_name: Mapped[str] = mapped_column(ForeignKey("tag.name", onupdate="CASCADE"), primary_key=True)


class Ban(Base):
    __tablename__ = "ban"
    __table_args__ = (
        CheckConstraint("user_id <> banned_by", name="not_self_ban"),
        CheckConstraint("until > starts", name="ban_time"),
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    banned_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(String(250))
    starts: Mapped[datetime]
    until: Mapped[datetime | None]


class Notification(Base):
    __tablename__ = "notification"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Enum("reply", "mention", "like", "follow", name="notification_kind"))
    payload: Mapped[dict] = mapped_column(JSON)
    seen: Mapped[bool] = mapped_column(default=False)
