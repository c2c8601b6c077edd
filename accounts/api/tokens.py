"""API tokens: made with name and password, listed and revoked by their owner."""

from typing import cast

from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiToken, User
from accounts.services import tokens
from accounts.throttles import AddressThrottle, SignInThrottle


class TokenRequest(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    name = serializers.CharField(max_length=80, required=False, default="", help_text="For your own list")
    days = serializers.IntegerField(
        min_value=1, max_value=tokens.DAYS_AT_MOST, required=False, default=tokens.DAYS_BY_DEFAULT
    )
    scope = serializers.ChoiceField(
        choices=ApiToken.Scope.choices, required=False, default=ApiToken.Scope.ALL, help_text="What it opens"
    )
    project = serializers.SlugField(
        max_length=60,
        required=False,
        default="",
        allow_blank=True,
        help_text="With the scope releases: the only project whose releases it opens",
    )


class NewToken(serializers.Serializer):
    token = serializers.CharField(help_text="The secret: shown this once")
    id = serializers.CharField()
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices)
    project = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TokenLine(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")

    class Meta:
        model = ApiToken
        fields = ("id", "name", "scope", "project", "created_at", "expires_at", "last_used_at")


class TokensView(APIView):
    """POST needs no token, GET does."""

    permission_classes = ()

    def get_authenticators(self) -> list:
        # A stale token or session must not stand in the way of someone who brings name and password.
        making = self.request is not None and self.request.method == "POST"
        return [] if making else super().get_authenticators()

    def get_throttles(self) -> list:
        return [SignInThrottle(), AddressThrottle()] if self.request.method == "POST" else []

    @extend_schema(operation_id="tokens_make", request=TokenRequest, responses={201: NewToken}, auth=[])
    def post(self, request: Request) -> Response:
        """Make a token from a user name and a password. It ends by itself."""
        wanted = TokenRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        facts = wanted.validated_data
        person = authenticate(request, username=facts["username"], password=facts["password"])
        if person is None:
            raise exceptions.PermissionDenied("No account has this user name and password.")
        try:
            token, secret = tokens.make_token(
                by=person,
                name=facts["name"],
                days=facts["days"],
                scope=facts["scope"],
                project=facts["project"],
            )
        except ValidationError as error:
            raise exceptions.ValidationError(error.message_dict) from None
        answer = {
            "token": secret,
            "id": token.public_id,
            "scope": token.scope,
            "project": token.project,
            "expires_at": token.expires_at,
        }
        return Response(answer, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="tokens_list", responses={200: TokenLine(many=True)})
    def get(self, request: Request) -> Response:
        """Your tokens that are still open. Their secrets are not kept."""
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated
        return Response(TokenLine(tokens.open_tokens(request.user), many=True).data)


class TokenView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="tokens_revoke", request=None, responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """End one of your tokens now."""
        person = cast(User, request.user)
        token = ApiToken.objects.filter(user=person, public_id=public_id).first()
        if token is None:
            raise exceptions.NotFound("You have no such token.")
        tokens.revoke_token(by=person, token=token)
        return Response(status=status.HTTP_204_NO_CONTENT)
